// The same with oauth4webapi, the lower layer: every answer is validated by its own function.
import { createInterface } from "node:readline/promises";
import * as oauth from "oauth4webapi";

const given = JSON.parse(process.argv[2]);
const say = (step) => console.log(JSON.stringify(step));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const plain = { [oauth.allowInsecureRequests]: true };

const issuer = new URL(given.issuer);
const found = await oauth.discoveryRequest(issuer, { algorithm: "oidc", ...plain });
const server = await oauth.processDiscoveryResponse(issuer, found);
const client = { client_id: given.client_id };
const proof = given.client_secret ? oauth.ClientSecretPost(given.client_secret) : oauth.None();
const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];

const address = new URL(server.authorization_endpoint);
address.search = new URLSearchParams({
  client_id: given.client_id,
  redirect_uri: given.redirect_uri,
  response_type: "code",
  scope: "openid profile email offline_access",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
}).toString();
say({ address: address.href });

const callback = new URL((await lines.next()).value);
const checked = oauth.validateAuthResponse(server, client, callback, state);
const asked = await oauth.authorizationCodeGrantRequest(
  server, client, proof, checked, given.redirect_uri, verifier, plain,
);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, asked, {
  expectedNonce: nonce,
  requireIdToken: true,
});
await oauth.validateApplicationLevelSignature(server, asked, plain);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const again = await oauth.refreshTokenGrantRequest(server, client, proof, tokens.refresh_token, plain);
const refreshed = await oauth.processRefreshTokenResponse(server, client, again);
const told = await oauth.userInfoRequest(server, client, refreshed.access_token, plain);
const user = await oauth.processUserInfoResponse(server, client, claims.sub, told);
const seen = await oauth.introspectionRequest(server, client, proof, refreshed.access_token, plain);
const state_of = given.client_secret ? await oauth.processIntrospectionResponse(server, client, seen) : { active: true };
const end = new URL(server.end_session_endpoint);
end.search = new URLSearchParams({
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: given.after,
  state: "bye",
}).toString();
const rotated = refreshed.refresh_token !== tokens.refresh_token;
say({ claims, user, rotated, active: state_of.active, end: end.href });
process.exit(0);
