/** Sends the chosen file to POST /v1/uploads, tells how far it is, and then shows it among the others. */

const KINDS = { npz: "dataset", safetensors: "weights" };
const form = document.getElementById("upload");
const bar = document.getElementById("sent");
const said = document.getElementById("said");

function send(file, kind, name) {
  const request = new XMLHttpRequest(); // fetch does not tell how far an upload is
  request.open("POST", `/v1/uploads?${new URLSearchParams({ kind, name })}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
    said.textContent = event.loaded === event.total ? "checking …" : `${Math.floor((100 * event.loaded) / event.total)} %`;
  });
  return new Promise((resolve, reject) => {
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new Error("The service cannot be reached. Send it again.")));
    request.send(file);
  });
}

function problemOf(request) {
  try {
    const { detail, fix } = JSON.parse(request.responseText);
    return [detail, fix].filter(Boolean).join(" ");
  } catch {
    return `The service answered ${request.status}.`;
  }
}

async function upload() {
  const file = form.elements.file.files[0];
  const kind = KINDS[file.name.split(".").pop().toLowerCase()];
  if (kind === undefined) throw new Error(`${file.name} is neither .npz nor .safetensors.`);
  const request = await send(file, kind, form.elements.name.value.trim() || file.name);
  if (request.status >= 300) throw new Error(problemOf(request));
  return JSON.parse(request.responseText);
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  bar.hidden = false;
  said.className = "quiet";
  try {
    const made = await upload();
    history.replaceState(null, "", `/uploads#${made.id}`);
    location.reload();
  } catch (error) {
    said.className = "error";
    said.textContent = error.message;
    bar.hidden = true;
    button.disabled = false;
  }
});
if (form) form.hidden = false;
