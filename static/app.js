/* Lets answers with an error status show their page (htmx 1.9 swaps 2xx and 3xx only). ES5. */
document.addEventListener("htmx:beforeSwap", function (event) {
  var detail = event.detail, status = detail.xhr.status;
  if (status >= 400 && (detail.xhr.getResponseHeader("Content-Type") || "").indexOf("text/html") === 0) {
    detail.shouldSwap = true;
    detail.isError = false;
  }
});
