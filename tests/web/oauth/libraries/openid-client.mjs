// A relying party with openid-client: one JSON line for each step; the callback comes in on standard input.
import { createInterface } from "node:readline/promises";
import * as client from "openid-client";

const given = JSON.parse(process.argv[2]);
const say = (step) => console.log(JSON.stringify(step));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const proof = given.client_secret ? client.ClientSecretBasic(given.client_secret) : client.None();
const config = await client.discovery(new URL(given.issuer), given.client_id, undefined, proof, {
  execute: [client.allowInsecureRequests],
});
const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: given.redirect_uri,
  scope: "openid profile email offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
say({ address: address.href });

const callback = new URL((await lines.next()).value);
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, callback, checks);
const claims = tokens.claims();
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
const user = await client.fetchUserInfo(config, refreshed.access_token, claims.sub);
const end = client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: given.after,
  state: "bye",
});
say({ claims, user, rotated: refreshed.refresh_token !== tokens.refresh_token, end: end.href });
process.exit(0);
