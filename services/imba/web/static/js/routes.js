// Which view an address shows. `:id` is handed to the view.

import { search } from "./pages/search.js";
import { listing } from "./pages/listing.js";
import { signIn } from "./pages/sign_in.js";
import { register } from "./pages/register.js";
import { stays } from "./pages/stays.js";
import { oneStay } from "./pages/one_stay.js";
import { requests } from "./pages/requests.js";
import { homes } from "./pages/hosting/homes.js";
import { newHome } from "./pages/hosting/new_home.js";
import { workbench } from "./pages/hosting/workbench.js";
import { queue } from "./pages/review/queue.js";
import { review } from "./pages/review/one.js";
import { oneReport, reports } from "./pages/review/reports.js";
import { mandates } from "./pages/mandates.js";
import { notices } from "./pages/notices.js";
import { forgot, reset, verifyEmail } from "./pages/links.js";
import { favourites } from "./pages/favourites.js";
import { messages, oneThread } from "./pages/messages.js";
import { searches } from "./pages/searches.js";
import { dashboard } from "./pages/dashboard.js";
import { account } from "./pages/account.js";
import { nowhere } from "./pages/nowhere.js";

const ROUTES = [
  ["/", search],
  ["/homes/:id", listing],
  ["/sign-in", signIn],
  ["/register", register],
  ["/stays", stays],
  ["/stays/:id", oneStay],
  ["/requests", requests],
  ["/my-homes", homes],
  ["/my-homes/new", newHome],
  ["/my-homes/:id", workbench],
  ["/my-homes/:id/:step", workbench],
  ["/review", queue],
  ["/review/:id", review],
  ["/reports", reports],
  ["/reports/:id", oneReport],
  ["/mandates", mandates],
  ["/favourites", favourites],
  ["/messages", messages],
  ["/messages/:id", oneThread],
  ["/searches", searches],
  ["/figures", dashboard],
  ["/notices", notices],
  ["/account", account],
  ["/verify-email", verifyEmail],
  ["/forgot-password", forgot],
  ["/reset-password", reset],
].map(([pattern, view]) => [new RegExp(`^${pattern.replaceAll(/:\w+/g, "([^/]+)")}$`), view]);

/** The view of a path and its parameters. */
export function find(path) {
  for (const [pattern, view] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return [view, ...match.slice(1).map(decodeURIComponent)];
  }
  return [nowhere];
}
