"use strict";
for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
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
