"""Bearer tokens, as the REST framework takes authentication."""

import jwt
from rest_framework import authentication, exceptions
from tokens import subject

from project.models import User


class BearerAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return None
        try:
            user = User.objects.get(pk=subject(token))
        except (jwt.InvalidTokenError, User.DoesNotExist):
            raise exceptions.AuthenticationFailed from None
        if not user.is_active:
            raise exceptions.AuthenticationFailed
        return user, token

    def authenticate_header(self, request):
        return "Bearer"
