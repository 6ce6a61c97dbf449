"""Django REST framework: serializers from models, generic views."""

from django.http import HttpResponse, HttpResponseNotModified
from rest_framework import generics, pagination, permissions, serializers
from rest_framework.decorators import api_view
from rest_framework.response import Response

from project.models import Note, Property, User
from project.searching import change, tag, wanted


class PropertySerializer(serializers.ModelSerializer):
    owner_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = Property
        exclude = ["row_version", "owner"]


class NoteSerializer(serializers.ModelSerializer):
    owner_id = serializers.UUIDField(read_only=True)

    class Meta:
        model = Note
        exclude = ["owner"]


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = "__all__"


class Pages(pagination.LimitOffsetPagination):
    default_limit = 20

    def get_count(self, queryset):
        return 10**9  # nobody asks how many there are in all, so nothing has to count them

    def get_paginated_response(self, data):
        return Response({"items": data})


class Properties(generics.ListCreateAPIView):
    serializer_class = PropertySerializer
    pagination_class = Pages
    permission_classes = [permissions.IsAuthenticatedOrReadOnly]

    def get_queryset(self):
        return wanted(self.request.query_params)

    def perform_create(self, serializer):
        serializer.save(owner_id=self.request.user.pk)


class OneProperty(generics.RetrieveUpdateAPIView):
    queryset = Property.objects.all()
    serializer_class = PropertySerializer
    permission_classes = [permissions.IsAuthenticatedOrReadOnly]

    def retrieve(self, request, *args, **kwargs):
        found = self.get_object()
        if request.headers.get("If-None-Match") == tag(found):
            return HttpResponseNotModified(headers={"ETag": tag(found)})
        return Response(self.get_serializer(found).data, headers={"ETag": tag(found)})

    def partial_update(self, request, *args, **kwargs):
        serializer = self.get_serializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        if not change(kwargs["pk"], request.headers["If-Match"], serializer.validated_data):
            return HttpResponse(status=412)
        found = self.get_object()
        return Response(self.get_serializer(found).data, headers={"ETag": tag(found)})


class Notes(generics.ListAPIView):
    serializer_class = NoteSerializer
    pagination_class = Pages
    permission_classes = [permissions.IsAuthenticated]

    def get_queryset(self):
        return Note.objects.filter(owner=self.request.user.pk)


class Me(generics.RetrieveAPIView):
    serializer_class = UserSerializer
    permission_classes = [permissions.IsAuthenticated]

    def get_object(self):
        return self.request.user


@api_view(["GET"])
def status(request):
    return Response({"status": "ok"})
