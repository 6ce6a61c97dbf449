"""The client in the browser: plain HTML, CSS and modules, on the public API alone."""
