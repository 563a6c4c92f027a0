/* The device doctor: what only the browser can see. The words stand on the page; this shows them and adds their numbers
   to what is sent. It looks for the card bridge only when the user asks. ES5, no fetch. */
(function () {
  var doctor = element("doctor"), button = element("find-bridge"), field = element("found"), said = [];
  var brought = field ? field.value.split(".") : []; // what the page says already

  function element(id) { return document.getElementById(id); }

  function show(id, shown) {
    var node = element(id);
    if (node && shown) { node.removeAttribute("hidden"); } else if (node) { node.setAttribute("hidden", ""); }
    return node;
  }

  function say(number, measured) {
    if (brought.indexOf(number) >= 0) { return; }
    var detail = show("found-" + number, true).querySelector(".detail");
    if (detail && measured !== undefined) { detail.textContent = detail.textContent.replace(/…|\d[\d.]*/, measured); }
    said.push(number);
    tell();
  }

  function unsay(numbers) {
    said = said.filter(function (number) { return numbers.indexOf(number) < 0; });
    numbers.forEach(function (number) { show("found-" + number, false); });
  }

  /* The numbers go into the link to the result and into the form of the report. */
  function tell() {
    var links = document.querySelectorAll("a[data-found]"), i;
    for (i = 0; i < links.length; i++) {
      links[i].href = links[i].href.replace(/found=[\d.]*/, "found=" + all(links[i].getAttribute("data-found")));
    }
    if (field) { field.value = all(field.defaultValue); }
  }

  function all(before) { return (before ? before.split(".") : []).concat(said).join("."); }

  function checkClock() {
    var timing = window.performance && performance.timing, here = timing ? timing.responseStart : new Date().getTime();
    var minutes = Math.floor(Math.abs(here - Number(doctor.getAttribute("data-moment"))) / 60000);
    say(minutes < 2 ? "90778" : "90779", minutes);
  }

  function isOlder(version, least) {
    var a = version.split("."), b = least.split("."), i, difference;
    for (i = 0; i < Math.max(a.length, b.length); i++) {
      difference = Number(a[i] || 0) - Number(b[i] || 0);
      if (difference) { return difference < 0; }
    }
    return false;
  }

  /* Gives "granted", "denied", "prompt", or "" where the browser knows no such permission or never asks: a page that
     comes from this computer itself needs none. */
  function askPermission(then) {
    var isOwn = /^(localhost|127\.|\[::1)/.test(location.hostname);
    var names = ["loopback-network", "local-network-access"];
    function next() {
      var name = names.shift();
      if (!name || !navigator.permissions || !navigator.permissions.query) { then(""); return; }
      try {
        navigator.permissions.query({ name: name }).then(function (found) {
          then(isOwn && found.state === "prompt" ? "" : found.state);
        }, next);
      } catch (error) { next(); }
    }
    next();
  }

  function findBridge() {
    var request = new XMLHttpRequest();
    unsay(["90780", "90781", "90782", "90783", "90784"]);
    show("finding", true);
    button.disabled = true;
    function done(number, version) {
      button.disabled = false;
      show("finding", false);
      say(number, version);
    }
    function missed() {
      askPermission(function (state) { done(state === "denied" ? "90782" : state === "prompt" ? "90784" : "90783"); });
    }
    request.open("GET", doctor.getAttribute("data-health"));
    request.timeout = 60000; // the browser may be asking the user
    request.onload = function () {
      var version;
      try { version = String(JSON.parse(request.responseText).version); } catch (error) { version = ""; }
      if (request.status !== 200 || !/^\d[\d.]*$/.test(version)) { missed(); return; }
      done(isOlder(version, doctor.getAttribute("data-least")) ? "90781" : "90780", version);
    };
    request.onerror = request.ontimeout = missed;
    request.send();
  }

  if (!doctor) { return; }
  checkClock();
  if (!navigator.cookieEnabled) { say("90777"); }
  if (button) {
    show("by-click", true);
    button.addEventListener("click", findBridge);
  }
}());
