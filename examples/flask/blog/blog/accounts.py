"""Registering, logging in and out."""

import functools
import sqlite3

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from .database import connection

blueprint = Blueprint("accounts", __name__, url_prefix="/account")


@blueprint.before_app_request
def load_account():
    """Make the account of whoever is logged in `g.account`, otherwise None."""
    account_id = session.get("account_id")
    g.account = None
    if account_id is not None:
        g.account = (
            connection().execute("SELECT * FROM account WHERE id = ?", (account_id,)).fetchone()
        )


def login_required(view):
    """Send whoever is not logged in to the form for it."""

    @functools.wraps(view)
    def guarded(**values):
        if g.account is None:
            flash("Log in first.", "warning")
            return redirect(url_for("accounts.login"))
        return view(**values)

    return guarded


@blueprint.route("/register", methods=["GET", "POST"])
def register():
    if request.method == "POST":
        name, password = request.form["name"].strip(), request.form["password"]
        if not name or not password:
            flash("A name and a password are needed.", "error")
        else:
            try:
                with connection():
                    connection().execute(
                        "INSERT INTO account (name, password_hash) VALUES (?, ?)",
                        (name, generate_password_hash(password)),
                    )
            except sqlite3.IntegrityError:
                flash(f"The name {name} is taken.", "error")
            else:
                flash(f"Welcome, {name}. Log in with your password.", "success")
                return redirect(url_for("accounts.login"))
    return render_template("auth/register.html")


@blueprint.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        account = (
            connection()
            .execute("SELECT * FROM account WHERE name = ?", (request.form["name"].strip(),))
            .fetchone()
        )
        if account and check_password_hash(account["password_hash"], request.form["password"]):
            session.clear()
            session["account_id"] = account["id"]
            return redirect(url_for("index"))
        flash("There is no such account, or the password is another.", "error")
    return render_template("auth/login.html")


@blueprint.post("/logout")
def logout():
    session.clear()
    return redirect(url_for("index"))
