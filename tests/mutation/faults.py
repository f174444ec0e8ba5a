"""The faults that are planted: each takes one promise away, and names the tests that must notice.

`old` occurs exactly once in the file; when the code has moved on, the drill says so and the row is to be renewed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault."""

    name: str
    path: str
    old: str
    new: str
    tests: str


DATABASE, WRITERS = "grid/database.py", "tests/database/test_many_writers.py"
TROUBLES, AWAY = "tests/database/test_postgres_troubles.py", "tests/database/test_database_away.py"
REPORT, BACKUP, VERIFYING = (
    "tests/database/test_same_report.py",
    "tests/upkeep/test_backup.py",
    "tests/upkeep/test_verifying.py",
)
LIFE, GATE, SENDING = "tests/record/test_life.py", "tests/web/test_gate.py", "tests/engine/test_sending.py"
OUTBOX, TIMERS, JOBS = (
    "tests/engine/test_outbox.py",
    "tests/engine/test_timers.py",
    "tests/engine/test_jobs.py",
)
SIGNING, METRICS, LOGS = (
    "tests/grid/test_signing_in.py",
    "tests/watching/test_metrics.py",
    "tests/watching/test_logs.py",
)

FAULTS = (
    # the database
    Fault(
        "BEGIN IMMEDIATE dropped",
        DATABASE,
        '            connection.execute("BEGIN IMMEDIATE")',
        '            connection.execute("BEGIN")',
        f"{WRITERS} -k fifty",
    ),
    Fault("synchronous OFF", DATABASE, '"synchronous=FULL"', '"synchronous=OFF"', f"{WRITERS} -k keeps"),
    Fault("foreign keys off", DATABASE, '"foreign_keys=ON"', '"foreign_keys=OFF"', f"{WRITERS} -k keeps"),
    Fault(
        "unsafe WAL used", DATABASE, "if wal_is_safe() else", "if True else", f"{WRITERS} -k rollback_journal"
    ),
    Fault(
        "no statement timeout",
        DATABASE,
        "-c statement_timeout={STATEMENT_TIMEOUT_MS} ",
        "",
        f"{TROUBLES} -k limits",
    ),
    Fault("no lock timeout", DATABASE, "-c lock_timeout={LOCK_TIMEOUT_MS} ", "", f"{TROUBLES} -k limits"),
    Fault(
        "idle in transaction for ever",
        DATABASE,
        "-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_TIMEOUT_MS} ",
        "",
        f"{TROUBLES} -k limits",
    ),
    Fault(
        "deadlocks not retried",
        DATABASE,
        'frozenset({"40001", "40P01"})',
        "frozenset()",
        f"{TROUBLES} -k deadlock or serialization",
    ),
    Fault(
        "pooled connections not checked",
        DATABASE,
        "    _ping_the_rested(engine)\n    return engine",
        "    return engine",
        f"{TROUBLES} -k rested",
    ),
    Fault(
        "a busy pool is a fault",
        DATABASE,
        "            except PoolTimeout as error:",
        "            except ZeroDivisionError as error:",
        f"{TROUBLES} -k pool_with",
    ),
    Fault(
        "cut connections not retried",
        DATABASE,
        "    if error.connection_invalidated:\n        return True",
        "",
        f"{TROUBLES} -k middle",
    ),
    Fault(
        "values in the words of errors",
        DATABASE,
        "module=sqlite, hide_parameters=True",
        "module=sqlite",
        f"{LOGS} -k fault_in",
    ),
    Fault(
        "a promoted standby waits for ever",
        "deploy/postgresql/promote-standby.sh",
        "ALTER SYSTEM SET synchronous_standby_names = ''",
        "SELECT 1",
        f"{AWAY} -k standby",
    ),
    # the record
    Fault(
        "hash not chained",
        "dispatch/record/change.py",
        "previous_hash=self.last.hash if self.last else None",
        "previous_hash=None",
        f"{VERIFYING} -k honest",
    ),
    Fault(
        "hash leaves out the action",
        "dispatch/record/chain.py",
        '        "action": event.action,\n',
        "",
        f"{VERIFYING} -k edit",
    ),
    Fault(
        "commitment of texts not compared",
        "dispatch/record/chain.py",
        "if kept is None or (",
        "if False and (",
        f"{VERIFYING} -k edit",
    ),
    Fault(
        "anchors not compared",
        "dispatch/upkeep/verifying.py",
        "if found != head.hash:",
        "if False:",
        f"{VERIFYING} -k end",
    ),
    Fault(
        "anchor files not chained",
        "dispatch/upkeep/anchors.py",
        "        before = _digest(path)",
        "        pass",
        f"{VERIFYING} -k anchor",
    ),
    Fault(
        "same report not recognised",
        "dispatch/record/actions.py",
        "    if known is not None:",
        "    if False:",
        f"{REPORT} -k twenty",
    ),
    Fault(
        "other content under the same key taken",
        "dispatch/record/intake.py",
        "if known.fingerprint != report.fingerprint:",
        "if False:",
        f"{REPORT} -k twenty",
    ),
    Fault(
        "scope always true",
        "dispatch/record/queries.py",
        "return or_(false(), *reached(actor, verb).values())",
        "return true()",
        f"{LIFE} -k another_department or scope",
    ),
    Fault(
        "stale version accepted",
        "dispatch/record/actions.py",
        "if expected_version is not None and expected_version != ticket.version:",
        "if False:",
        f"{LIFE} -k stale",
    ),
    Fault(
        "repeated action carried out twice",
        "dispatch/record/actions.py",
        "if request_key else None",
        "if False else None",
        f"{LIFE} -k request_key",
    ),
    Fault(
        "a handler may verify",
        "dispatch/rules/guards/persons.py",
        'if doer.organisations & facts.handling_organisations:\n        return "承办单位',
        'if False:\n        return "承办单位',
        f"{LIFE} -k handling_unit",
    ),
    Fault(
        "negative list passed over",
        "dispatch/rules/admission.py",
        "    if not hits:",
        "    if True:",
        "tests/record/test_routes.py -k community",
    ),
    Fault(
        "make-up days taken for weekends",
        "dispatch/rules/worktime.py",
        "        if known is not None:",
        "        if False:",
        "tests/rules/test_deadlines.py",
    ),
    # the engine
    Fault(
        "outbox fence removed",
        "dispatch/engine/claiming.py",
        "    if cast(CursorResult[Any], marked).rowcount != 1:",
        "    if False:",
        f"{OUTBOX} -k fence",
    ),
    Fault(
        "outbox carried out before its time",
        "dispatch/engine/claiming.py",
        "        col(OutboxRow.available_at) <= now,",
        "",
        f"{OUTBOX} -k before_their_time or poison",
    ),
    Fault(
        "carried out but not marked",
        "dispatch/engine/claiming.py",
        "        .values(done_at=_NOW)",
        "        .values(attempts=0)",
        f"{OUTBOX} -k reaches_the_unit_once",
    ),
    Fault(
        "never given up",
        "dispatch/engine/outbox.py",
        "if attempts >= limit or",
        "if False or",
        f"{OUTBOX} -k poison",
    ),
    Fault(
        "messages of a ticket overtake each other",
        "dispatch/engine/sending/delivering.py",
        "col(before.id) < col(OutboxRow.id)",
        "col(before.id) < col(before.id)",
        f"{SENDING} -k order",
    ),
    Fault(
        "a failing destination does not rest",
        "dispatch/engine/sending/delivering.py",
        "return tools.resting.get(destination, (0, 0.0))[1] > time.monotonic()",
        "return False",
        f"{SENDING} -k rests",
    ),
    Fault(
        "timer fence removed",
        "dispatch/engine/timers.py",
        "        _mark(session, timers, done_at=now, outcome=firing.DONE)",
        "",
        TIMERS,
    ),
    Fault(
        "clock jump not noticed",
        "dispatch/engine/timers.py",
        "JUMP_S = 5.0",
        "JUMP_S = 5.0e9",
        f"{TIMERS} -k jump or moved",
    ),
    Fault(
        "naive time",
        DATABASE,
        "            return datetime.now(UTC)",
        "            return datetime.now()",
        "tests/engine/test_sweeper.py -k carries_out",
    ),
    Fault(
        "any function from Redis",
        "dispatch/engine/jobs.py",
        "        return ALLOWED[self.func_name]",
        "        return ALLOWED[self.func_name]\n\n    @property\n    def func(self):\n        return Job.func.fget(self)",
        f"{JOBS} -k hostile",
    ),
    Fault(
        "photo not checked on reading",
        "dispatch/record/evidence/photos.py",
        "    if hashlib.sha256(data).hexdigest() != sha256:",
        "    if False:",
        "tests/engine/photos/test_taking.py -k kept_once",
    ),
    Fault(
        "original served instead of the clean copy",
        "dispatch/record/evidence/photos.py",
        "return _checked(shelf.read(paths[SERVED]), photo.served_sha256)",
        "return shelf.read(paths[ORIGINAL])",
        "tests/web/reporters/test_photos.py -k only_the_picture",
    ),
    # backups
    Fault(
        "archive not compared with its manifest",
        "dispatch/upkeep/archive.py",
        "        self._compare()",
        "",
        f"{BACKUP} -k damaged",
    ),
    Fault(
        "restored over what is there",
        "dispatch/upkeep/dumps.py",
        "if inspect(database.engine).get_table_names():",
        "if False:",
        f"{BACKUP} -k overwritten",
    ),
    # the web
    Fault(
        "CSRF skipped on one route",
        "web/session.py",
        "    if by_program:",
        '    if by_program or request.endpoint == "worker.report":',
        f"{GATE} -k form_token",
    ),
    Fault(
        "permission not asked",
        "web/gate/access.py",
        "if access.verbs and not any(",
        "if False and not any(",
        f"{GATE} -k without_the_permission",
    ),
    Fault(
        "undeclared view open",
        "web/gate/access.py",
        "    if access is None:\n        raise",
        "    if access is None:\n        return\n        raise",
        f"{GATE} -k says_nothing",
    ),
    Fault(
        "open redirect",
        "web/session.py",
        '    if not target or not target.startswith("/") or',
        "    if not target or",
        f"{GATE} -k nowhere_else",
    ),
    Fault(
        "deep JSON taken",
        "web/gate/bodies.py",
        "MAX_DEPTH = 32",
        "MAX_DEPTH = 32_000",
        f"{GATE} -k hostile_json",
    ),
    Fault(
        "signing out keeps the session",
        "grid/accounts/sessions.py",
        "return row.revoked_at is None and",
        "return",
        f"{SIGNING} -k ends_a_session",
    ),
    Fault(
        "sessions never idle out",
        "grid/accounts/sessions.py",
        " and now - row.seen_at < idle",
        "",
        f"{SIGNING} -k idle",
    ),
    Fault(
        "tries not counted",
        "grid/accounts/lockout.py",
        "row.count, row.last_at = row.count + 1, now",
        "row.last_at = now",
        f"{SIGNING} -k sixth or twenty",
    ),
    Fault(
        "link used twice",
        "grid/accounts/links.py",
        "or link.used_at is not None or",
        "or",
        f"{SIGNING} -k works_once or fifty",
    ),
    Fault(
        "figures for everybody",
        "web/service/watching.py",
        "    if not (_comes_from_here() or _has_token()):",
        "    if False:",
        f"{METRICS} -k who_may",
    ),
    Fault(
        "numbers not masked in logs",
        "grid/logs.py",
        "masked(record.getMessage())",
        "record.getMessage()",
        f"{LOGS} -k error_is_told",
    ),
)
