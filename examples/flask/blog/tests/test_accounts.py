import pytest
from flask import g, session


def test_registering_leads_to_the_login_form(client):
    response = client.post("/account/register", data={"name": "bob", "password": "b"})

    assert response.status_code == 302
    assert response.location == "/account/login"
    assert "Welcome, bob" in client.get("/account/login").text


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [("", "x", "are needed"), ("x", "", "are needed"), ("ann", "x", "The name ann is taken")],
)
def test_what_cannot_be_registered_is_said(ann, name, password, message):
    response = ann.post("/account/register", data={"name": name, "password": password})

    assert message in response.text


def test_logging_in_is_remembered(client):
    client.post("/account/register", data={"name": "bob", "password": "b"})

    with client:
        client.post("/account/login", data={"name": "bob", "password": "b"})
        client.get("/")

        assert session["account_id"] == 1
        assert g.account["name"] == "bob"


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", "a")])
def test_wrong_names_and_passwords_are_told_alike(ann, name, password):
    response = ann.post("/account/login", data={"name": name, "password": password})

    assert "no such account, or the password is another" in response.text


def test_logging_out_forgets(ann):
    with ann:
        ann.post("/account/logout")

        assert "account_id" not in session
