"""A worker's name says on which machine its process id means something."""

import os
import subprocess
import sys

import pytest

from workers import machine

BOOT, NAMESPACE = "1f6f9c0e-boot", "pid:[4026532198]"


def a_dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    "other",
    [("web2", BOOT, NAMESPACE), ("web", "another-boot", NAMESPACE), ("web", BOOT, "pid:[4026532777]")],
)
def test_host_name_boot_and_process_ids_tell_machines_apart(other: tuple[str, str, str]) -> None:
    assert machine.place(*other) != machine.place("web", BOOT, NAMESPACE)


def test_a_name_starts_with_the_host_for_those_who_read_it() -> None:
    assert machine.place("web", BOOT, NAMESPACE).startswith("web~")


def test_a_container_of_the_same_name_with_the_same_process_id_is_not_taken_for_dead() -> None:
    host = machine.machine().partition("~")[0]
    twin = machine.place(host, machine.boot_id(), "the process ids of another container")

    assert machine.dead_here({f"{twin}:{a_dead_process()}"}) == set()


def test_only_workers_of_this_machine_whose_process_is_gone_are_dead() -> None:
    gone = f"{machine.machine()}:{a_dead_process()}"

    assert machine.dead_here({gone, machine.worker_name(), f"elsewhere:{os.getpid()}"}) == {gone}


@pytest.mark.parametrize("name", ["", "nonsense", ":", "{here}:", "{here}:x", "{host}:{pid}"])
def test_a_name_of_an_earlier_version_or_none_of_ours_is_left_to_its_lease(name: str) -> None:
    here = machine.machine()
    filled = name.format(here=here, host=here.partition("~")[0], pid=a_dead_process())

    assert machine.dead_here({filled}) == set()
