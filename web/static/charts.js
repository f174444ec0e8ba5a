// Draws a chart from the table that stands behind it: what is drawn is what can be read, opened and copied.
"use strict";

// Okabe and Ito's colours: told apart by people of every colour vision; lines differ in their dots as well.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5a5a5a"];
const DOTS = ["circle", "rect", "triangle", "diamond", "pin", "arrow", "roundRect"];

const NARROW = matchMedia("(max-width: 640px)").matches;

function numberOf(cell) {
  const value = parseFloat(cell.dataset.value ?? cell.textContent.replace(/[^0-9.-]/g, ""));
  return Number.isFinite(value) ? value : null;
}

// A picture of too many rows shows the largest, in the table's own order.
function mostOf(rows, most) {
  if (!most || rows.length <= most) return rows;
  const size = (row) => numberOf(row.cells[1]) || 0;
  const least = rows.map(size).sort((one, other) => other - one)[most - 1];
  const above = rows.filter((row) => size(row) > least).length;
  let left = most - above;
  return rows.filter((row) => size(row) > least || (size(row) === least && left-- > 0));
}

function readTable(table) {
  const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
  const rows = mostOf([...table.tBodies[0].rows].filter((row) => row.cells.length === heads.length + 1), Number(NARROW && table.dataset.mostNarrow || table.dataset.most));
  return {
    names: rows.map((row) => row.cells[0].textContent.trim()),
    links: rows.map((row) => row.querySelector("a")?.href),
    series: heads.map((name, place) => ({ name, data: rows.map((row) => numberOf(row.cells[place + 1])) })),
  };
}

function optionsFor(kind, table, ink) {
  const { names, series } = readTable(table);
  const wanted = (table.dataset.series || "").split(",").filter(Boolean);
  const shown = wanted.length ? series.filter((one) => wanted.includes(one.name)) : series;
  const lying = kind === "bars";
  const percent = table.dataset.unit === "%";
  const words = { type: "category", data: names, axisLabel: { color: ink, width: 130, overflow: "truncate" }, inverse: lying, axisTick: { show: false } };
  const numbers = { type: "value", minInterval: percent ? 0 : 1, axisLabel: { color: ink, formatter: percent ? "{value}%" : "{value}" }, splitLine: { lineStyle: { opacity: 0.35 } } };
  return {
    animation: false,
    color: COLOURS,
    textStyle: { fontFamily: "inherit", color: ink },
    grid: { left: 8, right: 24, top: shown.length > 1 ? 36 : 16, bottom: 8, containLabel: true },
    legend: shown.length > 1 ? { top: 0, left: 0, textStyle: { color: ink } } : undefined,
    tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: kind === "line" ? "line" : "shadow" } },
    xAxis: lying ? numbers : words,
    yAxis: lying ? words : numbers,
    series: shown.map((one, place) => ({
      ...one,
      type: kind === "line" ? "line" : "bar",
      symbol: DOTS[place % DOTS.length],
      symbolSize: 7,
      showSymbol: names.length <= 40,
      barMaxWidth: 24,
      // A single row of bars says its numbers itself; nobody has to read an axis.
      label: { show: kind !== "line" && shown.length === 1, position: lying ? "right" : "top", color: ink, formatter: percent ? "{c}%" : "{c}" },
    })),
  };
}

function ink() { return getComputedStyle(document.body).color; }

function keep(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name}.png`;
  link.click();
}

const SHARP = 2, HEAD_PX = 56;

// A white sheet with a head that says what is drawn and of which days; what is drawn comes below it.
function sheetOf(width, height, title, covers) {
  const sheet = document.createElement("canvas");
  sheet.width = width * SHARP;
  sheet.height = (height + HEAD_PX) * SHARP;
  const pen = sheet.getContext("2d");
  pen.scale(SHARP, SHARP);
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height + HEAD_PX);
  const family = getComputedStyle(document.body).fontFamily;
  pen.fillStyle = "#10222e";
  pen.font = `600 17px ${family}`;
  pen.fillText(title, 12, 24, width - 24);
  pen.fillStyle = "#3c4a52";
  pen.font = `13px ${family}`;
  pen.fillText(covers || "", 12, 44, width - 24);
  pen.translate(0, HEAD_PX);
  return [sheet, pen];
}

async function imageAt(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

// On white, whatever the screen's colours are.
async function keepChart(chart, box, drawn) {
  chart.setOption(drawn("#10222e"));
  const image = await imageAt(chart.getDataURL({ type: "png", pixelRatio: SHARP, backgroundColor: "#fff" }));
  chart.setOption(drawn(ink()));
  const [sheet, pen] = sheetOf(image.width / SHARP, image.height / SHARP, box.getAttribute("aria-label"), box.dataset.covers);
  pen.drawImage(image, 0, 0, image.width / SHARP, image.height / SHARP);
  keep(sheet.toDataURL("image/png"), nameOf(box.getAttribute("aria-label"), box));
}

function nameOf(title, { dataset }) {
  return [title, dataset.covers].filter(Boolean).join(" ").replace(/[:/\\]/g, "-");
}

// A drawing of the server, which has its head already.
async function keepDrawing(button) {
  const answer = await fetch(button.dataset.saveDrawing);
  if (!answer.ok) return;
  const address = URL.createObjectURL(new Blob([await answer.blob()], { type: "image/svg+xml" }));
  const image = await imageAt(address);
  const sheet = document.createElement("canvas");
  sheet.width = image.width * SHARP;
  sheet.height = image.height * SHARP;
  sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
  URL.revokeObjectURL(address);
  keep(sheet.toDataURL("image/png"), nameOf(document.title, button));
}

// A coloured table as it stands on the page, drawn anew: its boxes, their colours and their words.
function pictureOf(table, { dataset }) {
  const around = table.getBoundingClientRect();
  const [sheet, pen] = sheetOf(around.width, around.height, dataset.title, dataset.covers);
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  for (const cell of table.querySelectorAll("th, td")) {
    const box = cell.getBoundingClientRect();
    const look = getComputedStyle(cell);
    const shaded = !/^rgba\(.*, 0\)$/.test(look.backgroundColor) && cell.matches("[class^=s]");
    pen.fillStyle = shaded ? look.backgroundColor : "#fff";
    pen.fillRect(box.x - around.x, box.y - around.y, box.width, box.height);
    pen.fillStyle = shaded ? look.color : "#10222e";
    pen.font = `${look.fontSize} ${look.fontFamily}`;
    pen.fillText(cell.textContent.trim(), box.x - around.x + box.width / 2, box.y - around.y + box.height / 2);
  }
  return sheet.toDataURL("image/png");
}

document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll("[data-chart]")) {
    const table = document.getElementById(box.dataset.of);
    if (!table || !table.tBodies[0].rows.length) { box.hidden = true; continue; }
    if (box.dataset.chart === "bars") box.style.height = `${Math.max(120, 40 + readTable(table).names.length * 24)}px`;
    const chart = echarts.init(box, null, { renderer: "canvas" });
    const drawn = (colour) => optionsFor(box.dataset.chart, table, colour);
    chart.setOption(drawn(ink()));
    const { links } = readTable(table);
    chart.on("click", (event) => { if (links[event.dataIndex]) location.href = links[event.dataIndex]; });
    addEventListener("resize", () => chart.resize());
    addEventListener("beforeprint", () => chart.resize());
    document.querySelector(`[data-save="${box.dataset.of}"]`)?.addEventListener("click", () => keepChart(chart, box, drawn));
  }
  for (const button of document.querySelectorAll("[data-save-table]")) {
    button.addEventListener("click", () => keep(pictureOf(document.getElementById(button.dataset.saveTable), button), nameOf(button.dataset.title, button)));
  }
  for (const button of document.querySelectorAll("[data-save-drawing]")) button.addEventListener("click", () => keepDrawing(button));
  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
});
