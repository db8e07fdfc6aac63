"""Reading, writing, changing and deleting posts."""

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from .accounts import login_required
from .database import connection

blueprint = Blueprint("posts", __name__)

SELECT = (
    "SELECT post.id, title, text, created, author_id, name AS author"
    " FROM post JOIN account ON author_id = account.id"
)


@blueprint.app_template_filter("paragraphs")
def paragraphs(text):
    """Split text at its empty lines."""
    return [part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]


@blueprint.route("/")
def index():
    posts = connection().execute(f"{SELECT} ORDER BY post.id DESC").fetchall()
    return render_template("posts/index.html", posts=posts)


@blueprint.route("/posts.json")
def as_json():
    return [dict(post) for post in connection().execute(f"{SELECT} ORDER BY post.id")]


def own_post(post_id):
    """Return a post of whoever is logged in; 404 if there is none, 403 if it is somebody else's."""
    post = connection().execute(f"{SELECT} WHERE post.id = ?", (post_id,)).fetchone()
    if post is None:
        abort(404, f"There is no post {post_id}.")
    if post["author_id"] != g.account["id"]:
        abort(403)
    return post


def sent_post():
    """Return the title and the text that were sent, or None and say what is missing."""
    title, text = request.form["title"].strip(), request.form["text"].strip()
    if title:
        return title, text
    flash("A title is needed.", "error")
    return None


@blueprint.route("/write", methods=["GET", "POST"])
@login_required
def write():
    if request.method == "POST" and (sent := sent_post()):
        with connection():
            connection().execute(
                "INSERT INTO post (title, text, author_id) VALUES (?, ?, ?)",
                (*sent, g.account["id"]),
            )
        return redirect(url_for("index"))
    return render_template("posts/form.html", post=None)


@blueprint.route("/<int:post_id>/change", methods=["GET", "POST"])
@login_required
def change(post_id):
    post = own_post(post_id)
    if request.method == "POST" and (sent := sent_post()):
        with connection():
            connection().execute(
                "UPDATE post SET title = ?, text = ? WHERE id = ?", (*sent, post_id)
            )
        return redirect(url_for("index"))
    return render_template("posts/form.html", post=post)


@blueprint.post("/<int:post_id>/delete")
@login_required
def delete(post_id):
    own_post(post_id)
    with connection():
        connection().execute("DELETE FROM post WHERE id = ?", (post_id,))
    flash("The post is deleted.")
    return redirect(url_for("index"))
