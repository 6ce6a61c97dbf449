"use strict";
// "Try it out" asks the server that sent this page: the document names the public address, which the page's policy
// (connect-src 'self') does not reach when it was opened under another name, such as localhost for 127.0.0.1.
const root = document.getElementById("swagger-ui");
const address = new URL(root.dataset.openapi, window.location.href);
fetch(address)
  .then((response) => response.json())
  .then((spec) => {
    spec.servers = [{ url: new URL(".", address).href.replace(/\/$/, "") }];
    window.ui = SwaggerUIBundle({
      spec,
      domNode: root,
      deepLinking: true,
      displayRequestDuration: true,
      persistAuthorization: false,
      tryItOutEnabled: true,
      validatorUrl: null,
    });
  })
  .catch((error) => {
    root.textContent = `The OpenAPI document could not be read: ${error}`;
  });
