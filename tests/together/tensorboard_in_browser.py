"""TensorBoard in a browser without a screen: started on a folder of logs, looked at, and photographed."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["BROWSER", "DRIVER", "Page", "page", "served"]

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
PATIENCE = 60.0

# TensorBoard's parts are nested shadow trees, whose text no selector finds.
TEXT = """
const found = [];
function walk(node) {
  if (node.nodeType === Node.TEXT_NODE) { found.push(node.textContent.trim()); return; }
  if (node.tagName === 'STYLE' || node.tagName === 'SCRIPT') return;
  if (node.shadowRoot) walk(node.shadowRoot);
  for (const child of node.childNodes) walk(child);
}
walk(document.body);
return found.filter(text => text).join('\\n');
"""

CLICK = """
function search(root, name) {
  for (const node of root.querySelectorAll('*')) {
    if (node.matches(`g.node[data-name="${name}"]`)) return node.querySelector(':scope > .nodeshape .nodecolortarget');
    if (node.shadowRoot) { const found = search(node.shadowRoot, name); if (found) return found; }
  }
  return null;
}
const node = search(document, arguments[0]);
if (!node) return false;
node.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, composed: true, view: window}));
return true;
"""


@contextlib.contextmanager
def served(logdir: Path) -> Iterator[str]:
    """Start TensorBoard on a folder; gives its address."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", "0", "--load_fast", "false"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        told = ""
        for line in process.stderr:
            told += line
            address = re.search(r"at (http://\S+)", line)
            if address:
                yield address[1].rstrip("/")
                return
        raise RuntimeError(f"TensorBoard did not start: {told}")
    finally:
        process.terminate()
        process.communicate()


class Page:
    """A browser's page."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        self.address = address

    def show(self, tab: str, dark: bool = False) -> None:
        """Go to a tab: ``scalars``, ``histograms``, ``graphs`` …"""
        self.driver.get("about:blank")
        self.driver.get(f"{self.address}/?darkMode={str(dark).lower()}#{tab}")

    def text(self) -> str:
        """Return all that stands on the page."""
        return str(self.driver.execute_script(TEXT))

    def wait_for(self, *words: str) -> str:
        """Wait until all words stand on the page; returns its text."""
        end = time.monotonic() + PATIENCE
        while True:
            text = self.text()
            if all(word in text for word in words):
                return text
            if time.monotonic() > end:
                missing = [word for word in words if word not in text]
                raise AssertionError(f"the page does not show {missing}; it shows:\n{text[:4000]}")
            time.sleep(0.3)

    def click_node(self, name: str, *words: str) -> None:
        """Click at a node of the graph, as soon as it is there, until the page shows words that tell of it.

        A click is lost while the graph is still laid out.
        """
        end = time.monotonic() + PATIENCE
        while True:
            clicked = self.driver.execute_script(CLICK, name)
            for _ in range(10 if clicked else 1):
                time.sleep(0.3)
                text = self.text()
                if clicked and all(word in text for word in words):
                    return
            if time.monotonic() > end:
                raise AssertionError(
                    f"the graph {'tells nothing' if clicked else 'shows no node'} of {name!r}:\n{text[:4000]}"
                )

    def picture(self, path: Path) -> None:
        """Photograph the page."""
        self.driver.save_screenshot(str(path))


@contextlib.contextmanager
def page(address: str, profile: Path, size: tuple[int, int] = (1200, 800)) -> Iterator[Page]:
    """Open a browser that asks nothing from elsewhere."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(BROWSER)
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "disable-default-apps",
        "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        f"user-data-dir={profile}",
        f"window-size={size[0]},{size[1]}",
    ):
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options, Service(DRIVER))
    driver.set_page_load_timeout(PATIENCE)
    try:
        yield Page(driver, address)
    finally:
        driver.quit()
