"""Keeps a fuzzer signed in that ends its own session: whoever finds the session gone makes a new account for the next case.

Used by `npm run fuzz -- --schemathesis`, which sets CLOAKROOM_URL. Operations of administrators are tried as the seeded one.
"""

import os
import secrets

import requests
import schemathesis

URL = os.environ["CLOAKROOM_URL"]
PASSWORD = os.environ["CLOAKROOM_FUZZ_PASSWORD"]
ADMINISTRATOR = "admin@example.com"
COOKIE = "__Host-session"
# Two processors of a loaded machine hash a password in this time, many times over.
TIMEOUT_S = 30
# Whoever asks for a page of ours says so: every unsafe method needs it.
ORIGIN = {"Origin": URL}

people = {"person": None, "admin": None}


def sign_in(who):
    session = requests.Session()
    if who == "admin":
        path, body = "login", {"email": ADMINISTRATOR, "password": PASSWORD}
    else:
        path, body = "register", {"email": f"{secrets.token_hex(8)}@example.com", "password": secrets.token_hex(12), "name": "Fuzz"}
    answer = session.post(f"{URL}/api/session/{path}", json=body, headers=ORIGIN, timeout=TIMEOUT_S)
    cookies = [f"{cookie.name}={cookie.value}" for cookie in answer.cookies if cookie.name == COOKIE]
    if not cookies:
        raise RuntimeError(f"{path} gave no session: {answer.status_code} {answer.text[:200]}")
    return cookies[0]


def who_tries(case):
    return "admin" if "/api/admin/" in case.operation.path else "person"


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers = {**(case.headers or {}), **ORIGIN}
    if not case.operation.path.startswith("/api/"):
        return
    who = who_tries(case)
    if people[who] is None:
        people[who] = sign_in(who)
    case.headers["Cookie"] = people[who]


@schemathesis.hook
def after_call(context, case, response):
    # Refused, or another token was given: this one is over, or will be.
    gone = response.status_code == 401 or COOKIE in (response.headers.get("set-cookie") or [""])[0]
    if gone or case.operation.path.endswith(("/revoke-everything", "/logout")):
        people[who_tries(case)] = None
