// Who is there? Asked once more where what somebody does needs a log-in of the last five minutes.

import { post } from "../core/api.js";
import { ApiProblem } from "../core/problem.js";
import { keepFresh } from "../core/session.js";
import { ask } from "./actions.js";
import { field } from "./forms.js";

/** Asks for the second factor where the account has one, else for the password; whether it was given. */
export async function proveAnew() {
  const step = await factorStep();
  return step ? asked(byCode(step)) : asked(BY_PASSWORD);
}

/** A step token, for an account that has a second factor: the server asks the others for a password. */
async function factorStep() {
  try {
    const { data } = await post("/v1/auth/step-up", {});
    return data.step_token;
  } catch (problem) {
    if (problem instanceof ApiProblem && problem.status === 401) return null;
    throw problem;
  }
}

const BY_PASSWORD = {
  text: "You signed in a while ago. Your password, once more:",
  fields: () => [field("password", "Password", { kind: "password", autocomplete: "current-password" })],
  prove: ({ password }) => post("/v1/auth/step-up", { password: password ?? "" }),
};

const byCode = (step) => ({
  text: "You signed in a while ago. A code of your app, or a recovery code:",
  fields: () => [field("code", "Code", { autocomplete: "one-time-code" })],
  prove: ({ code = "" }) => post(/^[0-9]{6}$/.test(code) ? "/v1/auth/totp" : "/v1/auth/recovery-code", { step_token: step, code }),
});

function asked({ text, fields, prove }) {
  let isProved = false;
  return new Promise((settle) => {
    const dialog = ask({
      title: "Is it you?", text, fields: fields(), submit: "Go on",
      send: async (given) => {
        keepFresh((await prove(given)).data);
        isProved = true;
      },
    });
    dialog.addEventListener("close", () => settle(isProved));
  });
}
