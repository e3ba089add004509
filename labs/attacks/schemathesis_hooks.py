"""Keeps a fuzzer signed in although it ends its own session, and lends it ids that exist, so that it reaches the operations.

`npm run fuzz -- --schemathesis` uses it. The command passes the shop's address, the seeded administrator's password, and the file for the
answers of each operation.
"""

import atexit
import collections
import json
import os
import re
import secrets
import time
import urllib.error
import urllib.request

import schemathesis

URL = os.environ["CLOAKROOM_URL"]
PASSWORD = os.environ["CLOAKROOM_FUZZ_PASSWORD"]
TALLY_FILE = os.environ["CLOAKROOM_FUZZ_TALLY"]
ADMINISTRATOR = "admin@example.com"
COOKIE = "__Host-session"
# Two processors of a loaded machine hash a password many times in this time.
TIMEOUT_S = 30
# The shop asks for a proof that is at most 5 minutes old.
PROVEN_FOR_S = 240
# Codes, not statuses: a 401 may also mean that a password or a code was wrong.
GONE = {"session_required", "sign_in_required", "session_ended", "step_up_required"}
# A browser sends it with every request of our pages, and every unsafe method needs it.
ORIGIN = {"Origin": URL}
ADDRESS = {"name": "Fuzz", "line1": "1 Long Lane", "city": "Bath", "postalCode": "BA1 1AA", "country": "GB"}
# The lent ids fit these paths. Elsewhere `code` is six digits.
SHOPPING = ("/api/cart", "/api/orders", "/api/profile")
# A stream without an end is read until the time in schemathesis.toml is over. One of so many cases is
# signed in; the others are answered at once.
ENDLESS, ENDLESS_EACH = "/api/events", 6


def ask(method, path, body=None, expected=200, **headers):
    """@returns the body and the headers. @raises RuntimeError where the shop answers something else"""
    data = None if body is None else json.dumps(body).encode()
    sent = {**ORIGIN, "Content-Type": "application/json", **headers}
    request = urllib.request.Request(f"{URL}{path}", data=data, headers=sent, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as refused:
        answer = refused
    text = answer.read().decode()
    if answer.status != expected:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]}")
    return json.loads(text), answer.headers


def session_of(set_cookies):
    """@returns the session that an answer gave, '' where it took one away, None where it said nothing of it"""
    found = [re.match(f"{COOKIE}=([^;]*)", cookie) for cookie in set_cookies]
    values = [match.group(1) for match in found if match]
    if not values:
        return None
    return f"{COOKIE}={values[-1]}" if values[-1] else ""


def command_id():
    """A UUIDv7 of now: the cart takes no old ones."""
    bits = (time.time_ns() // 1_000_000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Visitor:
    """Somebody who is signed in with a fresh proof. Whoever finds the session gone begins again for the next case."""

    def __init__(self, begin):
        self.begin = begin
        self.cookie = None
        self.proven_at = 0.0
        self.known = {}

    def ready(self):
        if self.cookie is None or time.monotonic() - self.proven_at > PROVEN_FOR_S:
            self.cookie, self.proven_at, self.known = self.begin(), time.monotonic(), {}
        return self.cookie

    def hear(self, code, given):
        """@param given see session_of"""
        if given:
            self.cookie = given
        elif given == "" or code in GONE:
            self.cookie = None

    def ids(self):
        """Of what this person has: an address, a line in the cart, which the case before may have removed."""
        mine = {"Cookie": self.cookie}
        if not self.known:
            products, _ = ask("GET", "/api/products?pageSize=1")
            profile, _ = ask("PATCH", "/api/profile", {"addresses": [ADDRESS]}, **mine)
            self.known = {
                "productId": products["items"][0]["productId"],
                "addressId": profile["addresses"][0]["addressId"],
                "code": "WELCOME10",
            }
        body = {"commandId": command_id(), "productId": self.known["productId"], "quantity": 1}
        line, headers = ask("POST", "/api/cart/lines", body, 202, **mine)
        cart, _ = ask("GET", "/api/cart", **{**mine, "Consistency-Token": headers["Consistency-Token"]})
        return {**self.known, "commandId": command_id(), "lineId": line["lineId"], "seen": cart["seen"], "cartId": cart["cartId"]}


def register():
    person = {"email": f"{secrets.token_hex(8)}@example.com", "password": secrets.token_hex(12), "name": "Fuzz"}
    _, headers = ask("POST", "/api/session/register", person, 201)
    return session_of(headers.get_all("Set-Cookie"))


def sign_in_as_administrator():
    _, headers = ask("POST", "/api/session/login", {"email": ADMINISTRATOR, "password": PASSWORD})
    return session_of(headers.get_all("Set-Cookie"))


person, admin = Visitor(register), Visitor(sign_in_as_administrator)
tally = collections.defaultdict(collections.Counter)
turns = collections.Counter()


def visitor_of(path):
    """@returns None for the pages about the process, where nobody signs in"""
    if not path.startswith("/api/"):
        return None
    return admin if path.startswith("/api/admin/") else person


def lend(case, ids):
    """Puts what exists where the fuzzer made something up. What it made of a wrong type, or left out, stays so."""
    for place in (case.path_parameters, case.body):
        for name, value in ids.items():
            if isinstance(place, dict) and isinstance(place.get(name), str):
                place[name] = value


def code_of(response):
    try:
        body = json.loads(response.content)
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers = {**(case.headers or {}), **ORIGIN}
    path, label = case.operation.path, case.operation.label
    visitor = visitor_of(path)
    if visitor is None:
        return
    turns[label] += 1
    if path == ENDLESS and turns[label] % ENDLESS_EACH != 1:
        return
    case.headers["Cookie"] = visitor.ready()
    # Every other case keeps the values that the fuzzer made up.
    if path.startswith(SHOPPING) and turns[label] % 2 == 0:
        lend(case, visitor.ids())


@schemathesis.hook
def after_call(context, case, response):
    code = code_of(response) if response.status_code >= 400 else ""
    tally[case.operation.label][f"{response.status_code} {code}".strip()] += 1
    visitor = visitor_of(case.operation.path)
    if visitor is None or "Cookie" not in case.headers:
        return
    visitor.hear(code, session_of(response.headers.get("set-cookie") or []))
    if case.operation.path.endswith("/revoke-everything") and response.status_code < 300:
        person.cookie = admin.cookie = None


@atexit.register
def tell():
    with open(TALLY_FILE, "w", encoding="utf-8") as file:
        json.dump(tally, file)
