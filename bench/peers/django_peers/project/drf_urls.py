"""The routes of the REST framework."""

from django.urls import path

from project import drf

urlpatterns = [
    path("v1/status", drf.status),
    path("v1/properties", drf.Properties.as_view()),
    path("v1/properties/<uuid:pk>", drf.OneProperty.as_view()),
    path("v1/notes", drf.Notes.as_view()),
    path("v1/users/me", drf.Me.as_view()),
]
