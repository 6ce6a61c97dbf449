"""Calendars of a property kept elsewhere: fetched by a job, their events taking nights here."""
