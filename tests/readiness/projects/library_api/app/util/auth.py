import os
from datetime import datetime, timedelta, timezone

import jwt
from fastapi import Depends, HTTPException, Request

SECRET_KEY = os.environ.get("SECRET_KEY") or "super secret secrets"

# token for testing as an admin:
# eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3NTI2ODYwMDAsInN1YiI6IjEiLCJyb2xlIjoiYWRtaW4ifQ.q0hGJ8mQJxw3gC0m2eO5v1s7kP4tY9zB6nD8fR2aXcE


def encode_token(user_id, role):
    payload = {
        "exp": datetime.now(timezone.utc) + timedelta(hours=1),
        "iat": datetime.now(timezone.utc),
        "sub": str(user_id),
        "role": role,
    }
    return jwt.encode(payload, SECRET_KEY, algorithm="HS256")


def token_required(request: Request):
    token = None
    if "Authorization" in request.headers:
        token = request.headers["Authorization"].split()[1]
    if not token:
        raise HTTPException(status_code=401, detail="Token is missing")

    try:
        data = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
        print("decoded token:", data)
    except jwt.ExpiredSignatureError:
        raise HTTPException(status_code=403, detail="Token is expired")
    except jwt.InvalidTokenError:
        raise HTTPException(status_code=403, detail="Token is invalid")
    return data


def current_user_id(data: dict = Depends(token_required)):
    return int(data["sub"])
