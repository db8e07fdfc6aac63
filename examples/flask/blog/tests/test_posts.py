import pytest


@pytest.fixture
def post(ann):
    ann.post("/write", data={"title": "First", "text": "one\n\n<two>"})
    return ann


def test_posts_are_shown_to_everybody(post, app):
    page = app.test_client().get("/").text

    assert "First" in page
    assert "by ann" in page
    assert "<p>&lt;two&gt;</p>" in page
    assert "Change" not in page


def test_authors_change_their_posts(post):
    assert "Change" in post.get("/").text

    response = post.post(
        "/1/change", data={"title": "Second", "text": "two"}, follow_redirects=True
    )

    assert "Second" in response.text
    assert [record["title"] for record in post.get("/posts.json").json] == ["Second"]


def test_authors_delete_their_posts(post):
    page = post.post("/1/delete", follow_redirects=True).text

    assert "The post is deleted." in page
    assert "Nobody has written anything yet." in page


@pytest.mark.parametrize("path", ["/write", "/1/change", "/1/delete"])
def test_whoever_is_not_logged_in_is_sent_to_the_form(client, path):
    response = client.post(path, follow_redirects=True)

    assert response.request.path == "/account/login"
    assert "Log in first." in response.text


def test_posts_of_others_stay_as_they_are(post, app):
    bob = app.test_client()
    bob.post("/account/register", data={"name": "bob", "password": "b"})
    bob.post("/account/login", data={"name": "bob", "password": "b"})

    assert bob.post("/1/change", data={"title": "Mine", "text": ""}).status_code == 403
    assert bob.post("/1/delete").status_code == 403
    assert bob.post("/9/delete").status_code == 404


def test_a_post_needs_a_title(ann):
    page = ann.post("/write", data={"title": " ", "text": "kept"}).text

    assert "A title is needed." in page
    assert ">kept</textarea>" in page
