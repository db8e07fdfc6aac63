"""The Dockerfile and the Kubernetes manifest: read, held to each other, and their commands run without a container."""

import http.client
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploying import DEPLOY
from groundwire.cli.run import run
from ports import free_ports
from supervising import PROGRAM, SECONDS, eventually, supervised

KUBERNETES = DEPLOY / "kubernetes/shop.yaml"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, with lines that go on joined."""
    text = (DEPLOY / "container/Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest.strip()) for name, _space, rest in (line.partition(" ") for line in lines)]


def instruction(name: str) -> str:
    """The last one of a name, which is that of the image."""
    return [rest for word, rest in instructions() if word == name][-1]


def container_variables() -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(instruction("ENV")))


def health_check() -> list[str]:
    command: list[str] = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    return command


def taken(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what `groundwire run` makes of variables; it raises at a value that cannot be."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    parameters = run.make_context("run", ["shop:app"]).params
    return {name: value for name, value in parameters.items() if value not in (None, ())}


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    return {document["kind"]: document for document in yaml.safe_load_all(KUBERNETES.read_text())}


@pytest.fixture(scope="module")
def container(manifests: dict[str, Any]) -> dict[str, Any]:
    (container,) = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    return dict(container)


def pod_variables(container: dict[str, Any]) -> dict[str, str]:
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    assert all(isinstance(value, str) for value in variables.values())
    return variables


# Docker.


def test_the_dockerfile_says_what_docker_knows() -> None:
    names = [name for name, _rest in instructions()]

    known = "FROM RUN COPY WORKDIR ENV USER EXPOSE STOPSIGNAL HEALTHCHECK CMD"
    assert set(names) <= {*known.split(" ")}
    assert "FROM" == names[0]
    assert ["groundwire", "run", "shop:app"] == json.loads(instruction("CMD"))


def test_the_container_is_not_root() -> None:
    user, _colon, group = instruction("USER").partition(":")

    assert int(user) >= 10_000
    assert int(group) >= 10_000
    assert f"--uid {user} " in instruction_with("useradd")


def instruction_with(text: str) -> str:
    return next(rest for _name, rest in instructions() if text in rest)


def test_the_containers_settings_are_ones_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = container_variables()
    nothing = taken({}, monkeypatch)
    ours = {name: value for name, value in variables.items() if name.startswith("GROUNDWIRE_")}

    said = taken(ours, monkeypatch)

    assert len(ours) == len(said) - len(nothing)
    assert variables["GROUNDWIRE_ADMIN"] in instruction("HEALTHCHECK")
    assert instruction("EXPOSE") == variables["GROUNDWIRE_PORT"]


@pytest.mark.slow
def test_the_container_serves_is_healthy_and_then_is_not(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    variables = container_variables() | {
        "GROUNDWIRE_PORT": "0",
        "GROUNDWIRE_ADMIN": f"127.0.0.1:{port}",
    }
    variables["PATH"] = os.environ["PATH"]
    check = [word.replace("127.0.0.1:9090", f"127.0.0.1:{port}") for word in health_check()]
    assert "python" == check[0]

    def healthy() -> bool:
        done = subprocess.run(
            [sys.executable, *check[1:]], stderr=subprocess.DEVNULL, timeout=SECONDS, check=False
        )
        return done.returncode == 0

    with supervised(tmp_path, env=variables) as server:
        server.line_with(" serves ")
        assert eventually(healthy)
        assert "one" == server.get("/version")
        server.process.terminate()
        assert 0 == server.ended()
        assert not healthy()


@pytest.mark.slow
def test_python_compiles_what_is_copied(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(PROGRAM)
    command = shlex.split(instruction_with("compileall"))
    assert "python" == command[0]

    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, timeout=SECONDS, check=True)

    assert list(tmp_path.glob("__pycache__/shop.*.pyc"))


# Kubernetes.


def test_there_are_a_deployment_a_service_and_a_budget(manifests: dict[str, Any]) -> None:
    assert {"Deployment", "Service", "PodDisruptionBudget"} == set(manifests)
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        manifests["Deployment"]["spec"]["selector"]["matchLabels"],
        manifests["Service"]["spec"]["selector"],
        manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()


def test_the_pods_settings_are_ones_that_there_are(
    container: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = pod_variables(container)
    nothing = taken({}, monkeypatch)

    said = taken(variables, monkeypatch)

    assert len(variables) == len(said) - len(nothing)
    assert json.loads(instruction("CMD")) == container["args"]


def test_ports_are_those_that_the_server_listens_on(
    manifests: dict[str, Any], container: dict[str, Any]
) -> None:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    variables = pod_variables(container)

    assert int(variables["GROUNDWIRE_PORT"]) == ports["http"]
    assert f"0.0.0.0:{ports['admin']}" == variables["GROUNDWIRE_ADMIN"]
    # The admin address is not for clients.
    assert ["http"] == [port["targetPort"] for port in manifests["Service"]["spec"]["ports"]]
    annotations = manifests["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert str(ports["admin"]) == annotations["prometheus.io/port"]


@pytest.mark.slow
def test_probes_ask_what_the_admin_address_answers(
    container: dict[str, Any], manifests: dict[str, Any], tmp_path: Path
) -> None:
    probes = {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert {"admin"} == {probe["port"] for probe in probes.values()}
    annotations = manifests["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    (port,) = free_ports(1)

    def status(path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    with supervised(tmp_path, "--admin", str(port)) as server:
        server.line_with(" serves ")
        for path in {probe["path"] for probe in probes.values()} | {
            annotations["prometheus.io/path"]
        }:
            assert eventually(lambda path=path: status(path) == 200)


def test_the_pod_has_time_to_end(container: dict[str, Any], manifests: dict[str, Any]) -> None:
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    sleep, before = container["lifecycle"]["preStop"]["exec"]["command"]
    graceful = float(pod_variables(container)["GROUNDWIRE_GRACEFUL_TIMEOUT"])

    assert "sleep" == sleep
    assert pod["terminationGracePeriodSeconds"] >= float(before) + graceful + 5


def test_the_pod_is_restricted(container: dict[str, Any], manifests: dict[str, Any]) -> None:
    """What the restricted Pod Security Standard asks for."""
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    user = instruction("USER")

    assert pod["securityContext"]["runAsNonRoot"]
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user
    assert {"type": "RuntimeDefault"} == pod["securityContext"]["seccompProfile"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert ["ALL"] == container["securityContext"]["capabilities"]["drop"]
    # Uploads need a place then.
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert ["/tmp"] == [mount["mountPath"] for mount in container["volumeMounts"]]
    assert re.fullmatch(r"\d+Mi", pod["volumes"][0]["emptyDir"]["sizeLimit"])
