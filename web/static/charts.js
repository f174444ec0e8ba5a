// Draws a chart from the table that stands behind it: what is drawn is what can be read, opened and copied.
"use strict";

// Okabe and Ito's colours: told apart by people of every colour vision; lines differ in their dots as well.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5a5a5a"];
const DOTS = ["circle", "rect", "triangle", "diamond", "pin", "arrow", "roundRect"];

function numberOf(cell) {
  const value = parseFloat(cell.dataset.value ?? cell.textContent.replace(/[^0-9.-]/g, ""));
  return Number.isFinite(value) ? value : null;
}

function readTable(table) {
  const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
  const rows = [...table.tBodies[0].rows].filter((row) => row.cells.length === heads.length + 1);
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
      barMaxWidth: 28,
      // A single row of bars says its numbers itself; nobody has to read an axis.
      label: { show: kind !== "line" && shown.length === 1, position: lying ? "right" : "top", color: ink, formatter: percent ? "{c}%" : "{c}" },
    })),
  };
}

function save(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name}.png`;
  link.click();
}

// A coloured table as it stands on the page, drawn anew: its boxes, their colours and their words.
function pictureOf(table) {
  const around = table.getBoundingClientRect();
  const sheet = document.createElement("canvas");
  sheet.width = around.width * 2;
  sheet.height = around.height * 2;
  const pen = sheet.getContext("2d");
  pen.scale(2, 2);
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, around.width, around.height);
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  for (const cell of table.querySelectorAll("th, td")) {
    const box = cell.getBoundingClientRect();
    const look = getComputedStyle(cell);
    pen.fillStyle = look.backgroundColor;
    pen.fillRect(box.x - around.x, box.y - around.y, box.width, box.height);
    pen.fillStyle = look.color;
    pen.font = `${look.fontSize} ${look.fontFamily}`;
    pen.fillText(cell.textContent.trim(), box.x - around.x + box.width / 2, box.y - around.y + box.height / 2);
  }
  return sheet.toDataURL("image/png");
}

document.addEventListener("DOMContentLoaded", () => {
  const ink = getComputedStyle(document.body).color;
  for (const box of document.querySelectorAll("[data-chart]")) {
    const table = document.getElementById(box.dataset.of);
    if (!table || !table.tBodies[0].rows.length) { box.hidden = true; continue; }
    if (box.dataset.chart === "bars") box.style.height = `${Math.max(120, 40 + readTable(table).names.length * 30)}px`;
    const chart = echarts.init(box, null, { renderer: "canvas" });
    chart.setOption(optionsFor(box.dataset.chart, table, ink));
    const { links } = readTable(table);
    chart.on("click", (event) => { if (links[event.dataIndex]) location.href = links[event.dataIndex]; });
    addEventListener("resize", () => chart.resize());
    addEventListener("beforeprint", () => chart.resize());
    document.querySelector(`[data-save="${box.dataset.of}"]`)?.addEventListener("click", () => save(chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: "#fff" }), box.getAttribute("aria-label") || box.dataset.of));
  }
  for (const button of document.querySelectorAll("[data-save-table]")) {
    button.addEventListener("click", () => save(pictureOf(document.getElementById(button.dataset.saveTable)), document.title));
  }
  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
});
