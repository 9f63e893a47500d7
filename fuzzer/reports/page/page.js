"use strict";
const told = document.getElementById("told");

async function copied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    // A file that was opened from disk may lack the right; then it is selected, and copied the old way.
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const word = (await copied(button.parentElement.querySelector("code"))) ? "Copied" : "Selected";
    button.textContent = told.textContent = word;
    setTimeout(() => { button.textContent = "Copy"; told.textContent = ""; }, 2000);
  });
}

const only = document.getElementById("bad-only");
if (only) {
  only.closest("[hidden]").hidden = false;
  only.addEventListener("change", () => {
    let shown = 0;
    for (const row of document.querySelectorAll("#scenarios tbody tr")) {
      row.hidden = only.checked && row.classList.contains("holds");
      shown += row.hidden ? 0 : 1;
    }
    document.getElementById("filtered").textContent = `${shown} shown`;
  });
}
