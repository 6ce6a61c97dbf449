import unittest

from fastapi.testclient import TestClient

from app import create_app
from config import TestingConfig


class TestUsers(unittest.TestCase):
    def setUp(self):
        self.client = TestClient(create_app(TestingConfig))

    def test_create_user(self):
        payload = {
            "first_name": "Ann",
            "last_name": "Reader",
            "email": "ann@example.com",
            "password": "secret",
            "role": "user",
        }
        response = self.client.post("/users", json=payload)
        self.assertEqual(response.status_code, 201)
        self.assertIn("password", response.json())
