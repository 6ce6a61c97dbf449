// Sends one file with the tus client that browsers use: node upload.mjs '{"endpoint", "file", "token", "memory"}'.
// Goes on with what `memory` (a file) knows of. One JSON object a line on standard output.
import { createReadStream } from "node:fs";
import * as tus from "tus-js-client";

const { endpoint, file, token, memory, chunk } = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const upload = new tus.Upload(createReadStream(file), {
  endpoint,
  chunkSize: chunk,
  retryDelays: null,
  urlStorage: new tus.FileUrlStorage(memory),
  headers: { Authorization: `Bearer ${token}` },
  metadata: { purpose: "video", filename: "clip.mp4", filetype: "video/mp4" },
  onChunkComplete: (_, accepted, total) => say({ accepted, total }),
  onAfterResponse: (request, response) => {
    if (request.getMethod() === "HEAD") say({ resumed: Number(response.getHeader("Upload-Offset")) });
  },
  onError: (error) => {
    say({ error: error.message });
    process.exit(1);
  },
  onSuccess: () => {
    say({ done: upload.url });
    process.exit(0);
  },
});

const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
