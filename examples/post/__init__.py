"""An application that was there first learns to send mail that it cannot lose."""
