"""The tables, which are there already."""

import uuid

from django.db import models


class Roles(models.JSONField):
    """The column is json and not jsonb, which the driver has read already."""

    def from_db_value(self, value, expression, connection):
        return value if isinstance(value, list) else super().from_db_value(value, expression, connection)


class Row(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class User(Row):
    email = models.CharField(max_length=320)
    full_name = models.CharField(max_length=200)
    roles = Roles(default=list)
    is_active = models.BooleanField(default=True)
    email_verified_at = models.DateTimeField(null=True)
    is_authenticated = True

    class Meta:
        managed = False
        db_table = "users"


class Property(Row):
    title = models.CharField(max_length=200)
    description = models.TextField()
    city = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    bedrooms = models.IntegerField()
    bathrooms = models.IntegerField()
    area_m2 = models.IntegerField()
    price_amount = models.IntegerField()
    price_currency = models.CharField(max_length=3)
    latitude = models.FloatField()
    longitude = models.FloatField()
    built_in = models.IntegerField()
    owner = models.ForeignKey(User, on_delete=models.CASCADE)
    row_version = models.IntegerField(default=1, editable=False)

    class Meta:
        managed = False
        db_table = "properties"
        ordering = ["-created_at", "-id"]


class Note(Row):
    text = models.CharField(max_length=500)
    owner = models.ForeignKey(User, on_delete=models.CASCADE)

    class Meta:
        managed = False
        db_table = "notes"
        ordering = ["-created_at", "-id"]
