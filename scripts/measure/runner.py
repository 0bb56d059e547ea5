# SPDX-License-Identifier: Apache-2.0
"""Runs `nestwalk compare` for each task that has no result yet, several at a time.

A result is one line of JSON in the file `results`. It is known by a digest of the command, of the
traces and the machine file that it reads, and of the program itself: what is done is not done
again, and what a change has made stale is.
"""
import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from typing import NamedTuple


class Failure(Exception):
    pass


class Task(NamedTuple):
    experiment: str
    key: dict  # what tells the tasks of an experiment apart
    trace: str
    machine: str  # path of the machine file
    sets: tuple
    columns: tuple
    limit: int = 0  # references; 0: all

    def arguments(self):
        modes = [c.mode for c in self.columns if c.name == c.mode and not c.sets]
        arguments = ["compare", "-q", "-j", "1", "--json", "-m", self.machine, "-w", self.trace]
        if self.limit:
            arguments += ["--limit", str(self.limit)]
        for item in self.sets:
            arguments += ["--set", item]
        if modes:
            arguments += ["-p", ",".join(modes)]
        else:
            arguments += ["-p", "native"]  # a comparison has one column at least
        for column in self.columns:
            if column.name != column.mode or column.sets:
                arguments += ["--variant", variant(column)]
        return arguments


def variant(column):
    settings = ",".join(column.sets)
    return f"{column.name}={column.mode}" + (f":{settings}" if settings else "")


def file_digest(path, tail=None):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        if tail:
            size = os.path.getsize(path)
            digest.update(str(size).encode())
            file.seek(max(0, size - tail))
        digest.update(file.read())
    return digest.hexdigest()


class Runner:
    def __init__(self, nestwalk, folder, jobs):
        self.nestwalk = nestwalk
        self.jobs = jobs
        self.path = os.path.join(folder, "results.jsonl")
        self.build = file_digest(nestwalk)
        self.digests = {}
        self.results = self._load()
        self.lock = threading.Lock()

    def _load(self):
        if not os.path.exists(self.path):
            return {}
        with open(self.path, "rb+") as file:
            whole = file.read()
            whole = whole[:whole.rfind(b"\n") + 1]  # a line that was cut short counts for nothing
            file.truncate(len(whole))
        results = (json.loads(line) for line in whole.splitlines())
        return {result["id"]: result for result in results}

    def identify(self, task):
        """A trace's last bytes are its index, in which is a checksum of each of its parts."""
        for path, tail in ((task.trace, 4096), (task.machine, None)):
            if path not in self.digests:
                self.digests[path] = file_digest(path, tail)
        what = [self.build, self.digests[task.trace], self.digests[task.machine],
                os.path.basename(task.trace), task.arguments()[task.arguments().index("-w") + 2:]]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()

    def allowed(self, columns, trace, machine):
        """The columns that this build knows, and whether the machine allows them."""
        known = []
        for column in columns:
            task = Task("", {}, trace, machine, (), (column,), limit=1)
            done = subprocess.run([self.nestwalk, *task.arguments()], capture_output=True,
                                  text=True, check=False)
            if done.returncode == 0:
                known.append(column)
            else:
                print(f"experiments: left out: {column.name}: "
                      f"{done.stderr.splitlines()[0] if done.stderr else 'failed'}",
                      file=sys.stderr)
        return tuple(known)

    def _run(self, task, identity):
        began = time.monotonic()
        done = subprocess.run([self.nestwalk, *task.arguments()], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"{task.experiment} {task.key}: {done.stderr.strip()}")
        modes = json.loads(done.stdout)["modes"]
        wanted = {column.name for column in task.columns}
        result = {"id": identity, "experiment": task.experiment, **task.key,
                  "seconds": round(time.monotonic() - began, 2),
                  "columns": {name: {key: value for key, value in statistics.items() if value}
                              for name, statistics in modes.items() if name in wanted}}
        with self.lock:
            with open(self.path, "a") as file:
                file.write(json.dumps(result) + "\n")
            self.results[identity] = result

    def run(self, tasks):
        """Runs what has not been run; returns the results of all tasks, in their order, each with
        its task's key."""
        identities = [self.identify(task) for task in tasks]
        missing = {i: t for i, t in zip(identities, tasks) if i not in self.results}
        print(f"experiments: {len(missing)} to do, {len(tasks) - len(missing)} done before",
              file=sys.stderr)
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            futures = [pool.submit(self._run, task, identity)
                       for identity, task in missing.items()]
            try:
                for count, future in enumerate(concurrent.futures.as_completed(futures), 1):
                    future.result()
                    self._progress(count, len(futures), time.monotonic() - began)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return [{**self.results[identity], **task.key}
                for identity, task in zip(identities, tasks)]

    @staticmethod
    def _progress(count, total, seconds):
        left = int(seconds / count * (total - count))
        end = "\r" if sys.stderr.isatty() and count < total else "\n"
        if sys.stderr.isatty() or count == total or count % max(1, total // 10) == 0:
            print(f"{count} of {total}, {int(seconds)} s, {left // 60}:{left % 60:02} left ",
                  end=end, file=sys.stderr, flush=True)
