"use strict";
const steps = [...document.querySelectorAll("details.step")];
const filter = document.getElementById("filter");

function show() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const step of steps) {
    const text = step.textContent.toLowerCase();
    step.classList.toggle("hidden", !words.every((word) => text.includes(word)));
  }
  for (const group of document.querySelectorAll("section.group, div.service")) {
    group.classList.toggle("hidden", !group.querySelector("details.step:not(.hidden)"));
  }
}

document.getElementById("open").onclick = () => steps.forEach((step) => { step.open = true; });
document.getElementById("close").onclick = () => steps.forEach((step) => { step.open = false; });
filter.oninput = show;
// A link may say what to look for: plan.html#queue
filter.value = decodeURIComponent(location.hash.slice(1));
show();
