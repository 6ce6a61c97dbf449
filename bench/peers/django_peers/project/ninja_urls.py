"""The routes of django-ninja."""

from django.urls import path

from project.ninja import api

urlpatterns = [path("v1/", api.urls)]
