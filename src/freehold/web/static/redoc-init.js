"use strict";
const root = document.getElementById("redoc");
Redoc.init(root.dataset.openapi, { hideDownloadButton: false, nativeScrollbars: true }, root);
