"""One file that holds everything a service knows, and the way back from it, on either kind of database."""

from service.backup.archive import BackupDamagedError, Manifest
from service.backup.restoring import restore
from service.backup.saving import save

__all__ = ["BackupDamagedError", "Manifest", "restore", "save"]
