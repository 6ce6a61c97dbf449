from src.exceptions import Conflict, NotAuthenticated, PermissionDenied


class AuthRequired(NotAuthenticated):
    DETAIL = "Authentication required."


class AuthorizationFailed(PermissionDenied):
    DETAIL = "Authorization failed. User has no access."


class InvalidToken(NotAuthenticated):
    DETAIL = "Invalid token."


class InvalidCredentials(NotAuthenticated):
    DETAIL = "Invalid credentials."


class EmailTaken(Conflict):
    DETAIL = "Email is already taken."


class RefreshTokenNotValid(NotAuthenticated):
    DETAIL = "Refresh token is not valid."
