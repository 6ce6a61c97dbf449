"""One project for both: `PEER_URLS` names the routes of the one that is asked."""
