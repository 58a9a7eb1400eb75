"""Requests and answers of Adobe's streaming inlet (platform.md section 2)."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.outcome import Failure, Outcome, Verdict
from app.core.platform import (
    Inlet,
    Next,
    body_size,
    envelope,
    inlet_urls,
    is_envelope_fault,
    normalise,
    read_answer,
    request_for,
    unsent,
)

URL = "https://dcs.example/collection/" + "a" * 64
XDM = Inlet(
    url=URL,
    batch_url=URL.replace("/collection/", "/collection/batch/"),
    inlet_id="a" * 64,
    flow_id="flow-1",
    dataset_id="dataset-1",
    schema_id="https://ns.adobe.com/acme/schemas/1",
    org_id="acme@AdobeOrg",
    sandbox_name="prod",
)
BATCH = "1565638336649:1750:244"
D, T, R, U = Verdict.DELIVERED, Verdict.TRY_AGAIN, Verdict.REJECTED, Verdict.UNKNOWN


def accepted(at: int | str) -> dict[str, Any]:
    return {"xactionId": f"{BATCH}:{at}"}


def refused(status: Any = 400, **more: Any) -> dict[str, Any]:
    return {"statusCode": status, "message": "Message is invalid", **more}


def multi(*entries: Any, **more: Any) -> bytes:
    head = {"inletId": "a", "batchId": BATCH, "receivedTimeMs": 1565638336705}
    return orjson.dumps({**head, "responses": list(entries), **more})


def verdicts(body: bytes, count: int, status: int = 207) -> list[Verdict]:
    return [outcome.verdict for outcome in read_answer(status, {}, body, count).outcomes]


class TestRequest:
    def test_an_envelope_goes_round_a_record_by_bytes(self) -> None:
        prefix, suffix = envelope(XDM)
        record = b'{"_id":"01H","n":1.0}'

        message = orjson.loads(prefix + record + suffix)

        ref = {"id": XDM.schema_id, "contentType": XDM.schema_content_type}
        assert message == {
            "header": {
                "schemaRef": ref,
                "imsOrgId": "acme@AdobeOrg",
                "datasetId": "dataset-1",
                "flowId": "flow-1",
                "source": {"name": "Sluice"},
            },
            "body": {"xdmMeta": {"schemaRef": ref}, "xdmEntity": {"_id": "01H", "n": 1.0}},
        }
        assert record in prefix + record + suffix

    def test_an_org_that_is_not_configured_is_left_to_platform(self) -> None:
        prefix, _ = envelope(Inlet(URL, URL, "a", schema_id="s"))

        assert b"imsOrgId" not in prefix
        assert b'""' not in prefix

    def test_raw_messages_have_no_envelope_but_a_flow_header(self) -> None:
        raw = Inlet(URL, URL, "a", mode="raw", flow_id="flow-1")

        assert envelope(raw) == (b"", b"")
        assert request_for(raw, [b"{}"], None).headers["x-adobe-flow-id"] == "flow-1"

    def test_one_message_goes_to_the_single_endpoint_as_it_is(self) -> None:
        request = request_for(XDM, [b'{"a":1}'], None)

        assert request.url == XDM.url
        assert request.body == b'{"a":1}'
        assert request.headers == {"Content-Type": "application/json", "x-sandbox-name": "prod"}

    @pytest.mark.parametrize("count", [2, 3, 50])
    def test_many_messages_go_to_the_batch_endpoint(self, count: int) -> None:
        messages = [b'{"n":%d}' % n for n in range(count)]

        request = request_for(XDM, messages, "tok")

        assert request.url == XDM.batch_url
        assert orjson.loads(request.body) == {"messages": [{"n": n} for n in range(count)]}
        assert request.headers["Authorization"] == "Bearer tok"
        assert len(request.body) == body_size(count, sum(map(len, messages)))

    def test_the_size_of_one_message_is_its_own(self) -> None:
        assert body_size(1, 7) == len(request_for(XDM, [b'{"a":1}'], None).body)

    @pytest.mark.parametrize(
        "given_url",
        [
            "https://dcs.example/collection/abc",
            "https://dcs.example/collection/batch/abc",
            "https://dcs.example/collection/abc/?syncValidation=true",
            "https://dcs.example/collection/abc?synchronousValidation=true",
        ],
    )
    def test_both_addresses_come_from_either(self, given_url: str) -> None:
        assert inlet_urls(given_url) == (
            "https://dcs.example/collection/abc",
            "https://dcs.example/collection/batch/abc",
            "abc",
        )

    def test_a_flow_id_in_the_query_stays(self) -> None:
        single, batch, _ = inlet_urls("http://h:1/collection/abc?x-adobe-flow-id=f")

        assert single == "http://h:1/collection/abc?x-adobe-flow-id=f"
        assert batch == "http://h:1/collection/batch/abc?x-adobe-flow-id=f"

    @pytest.mark.parametrize(
        "wrong", ["", "ftp://h/collection/a", "https:///collection/a", "https://h/collection/",
                  "https://h/a", "https://h/collection/a/b"],
    )  # fmt: skip
    def test_no_inlet_address_is_said(self, wrong: str) -> None:
        with pytest.raises(ValueError, match="inlet URL"):
            inlet_urls(wrong)


ACCEPTED = {"inletId": "a", "xactionId": "1:2:3", "receivedTimeMs": 1688068236344}


class TestOneMessage:
    @pytest.mark.parametrize(
        "more",
        [{}, {"receivedTimeMs": "1688068236344"}, {"flowId": "f"},
         {"syncValidation": {"skipped": True}}, {"syncValidation": {"status": "pass"}}],
    )  # fmt: skip
    def test_accepted(self, more: dict[str, Any]) -> None:
        answer = read_answer(200, {}, orjson.dumps({**ACCEPTED, **more}), 1)

        assert answer.outcomes == (Outcome(D, status=200, receipt="1:2:3"),)
        assert answer.next is Next.SETTLE

    @pytest.mark.parametrize("key", ["inletId", "xactionId", "receivedTimeMs"])
    @pytest.mark.parametrize("value", [None, "", [], True, {}])
    def test_a_receipt_that_lacks_a_part_is_unknown(self, key: str, value: Any) -> None:
        assert verdicts(orjson.dumps({**ACCEPTED, key: value}), 1, 200) == [U]

    @pytest.mark.parametrize(
        "body", [b"", b"ok", b"<html>login</html>", b"[]", b"null", b"{}", b'"x"', b"\xff\xfe{}",
                 b"[" * 5000, b'{"xactionId":"1', b'{"status":400,"title":"x"}'],
    )  # fmt: skip
    def test_a_200_that_cannot_be_read_is_unknown(self, body: bytes) -> None:
        assert verdicts(body, 1, 200) == [U]

    def test_a_receipt_beside_an_error_is_unknown(self) -> None:
        assert verdicts(orjson.dumps({**ACCEPTED, "status": 400}), 1, 200) == [U]

    @pytest.mark.parametrize("status", [201, 202, 204, 207, 299])
    def test_another_2xx_is_no_proof(self, status: int) -> None:
        assert verdicts(orjson.dumps(ACCEPTED), 1, status) == [U]

    def test_a_207_for_one_message_is_read_as_such(self) -> None:
        assert verdicts(multi(accepted(0)), 1) == [D]
        assert verdicts(multi(refused()), 1) == [R]

    def test_one_that_is_unclear_is_not_sent_again_at_once(self) -> None:
        assert read_answer(207, {}, multi(), 1).next is Next.SETTLE


class TestManyMessages:
    def test_all_accepted_share_one_outcome(self) -> None:
        answer = read_answer(207, {}, multi(*map(accepted, range(500))), 500)

        assert len({id(outcome) for outcome in answer.outcomes}) == 1
        assert answer.outcomes[0] == Outcome(D, status=207, receipt=BATCH)
        assert answer.uniform

    def test_all_accepted_costs_next_to_nothing(self) -> None:
        body = multi(*map(accepted, range(1000)))
        best = 1.0
        for _ in range(20):
            began = time.perf_counter()
            read_answer(207, {}, body, 1000)
            best = min(best, time.perf_counter() - began)

        assert best < 1e-3  # less than a microsecond per message

    def test_a_200_with_entries_is_read_like_a_207(self) -> None:
        assert verdicts(multi(accepted(0), refused()), 2, 200) == [D, R]

    def test_a_200_for_a_batch_without_entries_is_sent_singly(self) -> None:
        answer = read_answer(200, {}, orjson.dumps(ACCEPTED), 3)

        assert [outcome.verdict for outcome in answer.outcomes] == [U, U, U]
        assert answer.next is Next.SINGLES

    def test_both_variants_of_the_reference_in_one_answer(self) -> None:
        kafka = "9341f8eb-494a-4c89-9879-4d06a58d2dc7-2"
        body = multi(
            accepted(0),
            {"statusCode": 400, "message": "inletId: [x] Message has unknown xdm format"},
            {"xactionId": kafka, "status": 400,
             "message": "The 'header' field is mandatory. Provide a valid 'header' value"},
        )  # fmt: skip

        outcomes = read_answer(207, {}, body, 3).outcomes

        assert [outcome.verdict for outcome in outcomes] == [D, R, R]
        assert [outcome.code for outcome in outcomes[1:]] == ["envelope_schema", "envelope_header"]
        assert outcomes[1].message == "inletId: [x] Message has unknown xdm format"

    @pytest.mark.parametrize(
        ("entry", "verdict"),
        [
            (refused("400"), R),
            ({"status": "400", "xactionId": f"{BATCH}:1"}, R),
            ({"status": 200, "statusCode": 400}, R),
            ({"status": 200, "xactionId": f"{BATCH}:1"}, D),
            ({"status": "200"}, D),
            ({"status": 413}, R),
            ({"status": 429}, T),
            ({"status": 500}, T),
            ({"status": 401}, T),
            ({"status": 404}, T),
            ({"status": 302}, U),
            ({"status": 0}, U),
            ({"status": -400}, U),
            ({"status": 4000}, U),
            ({"status": True}, U),
            ({"status": None, "xactionId": f"{BATCH}:1"}, U),
            ({"status": "pass", "xactionId": f"{BATCH}:1"}, U),
            ({"status": [400]}, U),
            ({"xactionId": ""}, U),
            ({"xactionId": None}, U),
            ({"xactionId": f"{BATCH}:1", "message": "no"}, U),
            ({"xactionId": f"{BATCH}:1", "unheard": "of"}, D),
            ({}, U),
            (None, U),
            ("x", U),
            (1, U),
            ([], U),
        ],
    )
    def test_each_entry_is_read_by_itself(self, entry: Any, verdict: Verdict) -> None:
        assert verdicts(multi(accepted(0), entry, accepted(2)), 3) == [D, verdict, D]

    def test_fewer_entries_are_placed_by_their_index(self) -> None:
        body = multi(accepted(0), accepted(3), refused(xactionId=f"{BATCH}:2"))

        answer = read_answer(207, {}, body, 5)

        assert [outcome.verdict for outcome in answer.outcomes] == [D, U, R, D, U]
        assert answer.next is Next.SINGLES
        assert not answer.uniform

    def test_more_entries_are_placed_by_their_index(self) -> None:
        assert verdicts(multi(accepted(0), accepted(1), refused()), 2) == [D, D]

    def test_entries_out_of_order_are_placed_by_their_index(self) -> None:
        body = multi(accepted(2), refused(xactionId=f"{BATCH}:0"), accepted(1))

        assert verdicts(body, 3) == [R, D, D]

    def test_order_does_not_matter_when_all_are_accepted(self) -> None:
        assert verdicts(multi(accepted(2), accepted(0), accepted(1)), 3) == [D, D, D]
        assert verdicts(multi({**accepted(2), "x": 1}, accepted(0), accepted(1)), 3) == [D, D, D]

    def test_counting_from_one_is_understood_when_complete(self) -> None:
        assert verdicts(multi(accepted(1), refused(xactionId=f"{BATCH}:2")), 2) == [D, R]

    def test_an_index_out_of_range_makes_the_rest_doubtful(self) -> None:
        assert verdicts(multi(accepted(1), accepted(2), accepted(3)), 4) == [U, D, D, D]
        assert verdicts(multi(accepted(1), accepted(4)), 4) == [U, U, U, U]

    def test_an_order_that_contradicts_itself_is_unknown_where_it_does(self) -> None:
        assert verdicts(multi(accepted(1), refused()), 2) == [U, D]

    def test_a_doubled_entry_hides_another(self) -> None:
        assert verdicts(multi(accepted(0), accepted(1), accepted(1)), 3) == [D, D, U]

    def test_two_entries_that_differ_about_one_message_are_unknown(self) -> None:
        both = (accepted(1), refused(xactionId=f"{BATCH}:1"))

        assert verdicts(multi(accepted(0), *both), 3) == [D, U, U]
        assert verdicts(multi(accepted(0), *reversed(both)), 3) == [D, U, U]
        assert verdicts(multi(accepted(0), *both, accepted(1)), 3) == [D, U, U]

    def test_the_last_number_of_a_single_message_id_is_no_index(self) -> None:
        body = multi({"xactionId": "1688068236344:7186:1"}, batchId="other")

        assert verdicts(body, 3) == [U, U, U]

    def test_ids_without_an_index_are_placed_by_position(self) -> None:
        body = multi({"xactionId": "a"}, refused(), {"xactionId": "b"}, batchId=7)

        assert verdicts(body, 3) == [D, R, D]

    def test_no_entries_at_all_are_unknown(self) -> None:
        assert verdicts(multi(), 2) == [U, U]
        assert verdicts(orjson.dumps({"responses": {}}), 2) == [U, U]
        assert verdicts(b"\x00", 2) == [U, U]


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "body", "count", "failure", "then"),
        [
            (400, b"{}", 1, Failure.CONTRACT, Next.SETTLE),
            (400, b"{}", 9, Failure.TRANSIENT, Next.BISECT),
            (422, b"{}", 1, Failure.CONTRACT, Next.SETTLE),
            (413, b"", 1, Failure.TOO_LARGE, Next.SETTLE),
            (413, b"", 9, Failure.TRANSIENT, Next.SPLIT),
            (401, b"", 9, Failure.CREDENTIALS, Next.REFRESH),
            (401, b"{}", 1, Failure.CREDENTIALS, Next.REFRESH),
            (403, b"{}", 9, Failure.CREDENTIALS, Next.REFRESH),
            (403, b" \n", 9, Failure.BLOCKED, Next.PAUSE),
            (404, b"{}", 9, Failure.BLOCKED, Next.PAUSE),
            (302, b"", 9, Failure.BLOCKED, Next.PAUSE),
            (408, b"", 9, Failure.TRANSIENT, Next.SETTLE),
            (429, b"", 9, Failure.THROTTLE, Next.SETTLE),
            (500, b"schema missing", 9, Failure.TRANSIENT, Next.SETTLE),
            (501, b"", 1, Failure.TRANSIENT, Next.SETTLE),
            (503, b"", 9, Failure.TRANSIENT, Next.SETTLE),
            (599, b"", 1, Failure.TRANSIENT, Next.SETTLE),
            (100, b"", 1, Failure.TRANSIENT, Next.SETTLE),
        ],
    )
    def test_every_status_has_its_class(
        self, status: int, body: bytes, count: int, failure: Failure, then: Next
    ) -> None:
        answer = read_answer(status, {}, body, count)

        assert [outcome.failure for outcome in answer.outcomes] == [failure] * count
        assert answer.next is then
        assert answer.outcomes[0].status == status

    @pytest.mark.parametrize("status", [400, 404, 405, 415, 501])
    def test_a_raw_inlet_may_refuse_batches_as_such(self, status: int) -> None:
        answer = read_answer(status, {}, b"", 3, batches_proven=False)

        assert answer.next is Next.SINGLES
        assert {outcome.code for outcome in answer.outcomes} == {"batch_refused"}

    @pytest.mark.parametrize(
        ("headers", "now", "wait"),
        [
            ({"Retry-After": "7"}, None, 7),
            ({"retry-after": " 1.5 "}, None, 1.5),
            ({"Retry-After": "-3"}, None, 0),
            ({"Retry-After": "99999999"}, None, 3600),
            ({"Retry-After": "nan"}, None, None),
            ({"Retry-After": "inf"}, None, None),
            ({"Retry-After": "soon"}, 0.0, None),
            ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}, 60.0, 40),
            ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}, None, None),
            ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT",
              "Date": "Thu, 01 Jan 1970 00:01:10 GMT"}, 1e9, 30),
            ({"Retry-After": "Thu, 01 Jan 1970 00:01:40"}, 60.0, 40),
            ({}, 0.0, None),
        ],
    )  # fmt: skip
    def test_retry_after_is_seconds_or_a_date(
        self, headers: dict[str, str], now: float | None, wait: float | None
    ) -> None:
        assert read_answer(429, headers, b"", 1, now=now).outcomes[0].retry_after == wait

    def test_a_503_that_names_a_time_is_throttling(self) -> None:
        outcome = read_answer(503, {"Retry-After": "5"}, b"", 2).outcomes[1]

        assert (outcome.failure, outcome.retry_after) == (Failure.THROTTLE, 5)

    def test_a_request_that_got_no_answer(self) -> None:
        answer = unsent(Failure.UNKNOWN, "answer_timeout", "TimeoutError", 2)

        assert [outcome.verdict for outcome in answer.outcomes] == [U, U]


class TestProblem:
    def said(self, body: Any) -> Outcome:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return read_answer(400, {}, raw, 1).outcomes[0]

    def test_a_validation_report_gives_keyword_path_and_text(self) -> None:
        leaf = {"schemaLocation": "#/properties/_id", "pointerToViolation": "#/_id",
                "keyword": "type", "message": "expected type: String, found: Long",
                "causingExceptions": []}  # fmt: skip
        top = {"schemaLocation": "#", "pointerToViolation": "#",
               "message": "3 schema violations found", "causingExceptions": [leaf]}  # fmt: skip
        report = {"message": "Message is invalid", "cause": {"_streamingValidation": [top]}}

        outcome = self.said({"status": 400, "title": "Invalid", "report": report})

        assert (outcome.code, outcome.path) == ("type", "/_id")
        assert outcome.message == "Message is invalid; /_id: expected type: String, found: Long"

    def test_a_dcvs_code_is_kept(self) -> None:
        errors = [{"code": "DCVS-1106-400", "message": "required key [eVar14] not found"}]

        assert self.said({"_errors": {"_streamingValidation": errors}}).code == "DCVS-1106-400"
        assert self.said({"message": "failed: DCVS-1104-400"}).code == "DCVS-1104-400"

    def test_the_shape_of_failed_batches_is_read(self) -> None:
        outcome = self.said(
            {"_validationErrors": [{"keyword": "format", "pointerToViolation": "#/timestamp",
                                    "message": "bad", "causingExceptions": []}]}
        )  # fmt: skip

        assert (outcome.code, outcome.path) == ("format", "/timestamp")

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("inletId: [a] Message has unknown xdm format", "envelope_schema"),
            ("Message has an absent or wrong ims org in the header", "envelope_org"),
            ("The 'header' field is mandatory. Provide one", "envelope_header"),
            ("Payload header is missing Source Name", "envelope_source"),
            ("Payload body is missing xdmEntity", "envelope_entity"),
        ],
    )
    def test_texts_about_the_envelope_are_told_apart(self, text: str, code: str) -> None:
        outcome = self.said({"message": text})

        assert (outcome.code, outcome.message) == (code, text)
        assert is_envelope_fault(outcome.code)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"error_code": "403025", "message": "Profile is not valid"}, "403025"),
            ({"error_code": 403025}, "403025"),
            ({"error_code": "ada@example.com"}, "refused"),
            ({"title": "Authorization", "status": "401"}, "refused"),
            ({}, "refused"),
            ([], "http_400"),
            (b"", "http_400"),
            (b"<html>", "http_400"),
        ],
    )
    def test_other_bodies_have_a_code_too(self, body: Any, code: str) -> None:
        assert self.said(body).code == code

    def test_a_body_that_is_not_json_is_never_quoted(self) -> None:
        assert "ada" not in self.said(b"<p>ada@example.com</p>").message

    def test_causes_nested_without_end_do_no_harm(self) -> None:
        deep = b'{"causingExceptions":[' * 200 + b'{"message":"deep"}' + b"]}" * 200
        wide = {"causingExceptions": [{"message": "m", "pointerToViolation": "#"}] * 5000}

        assert self.said(b'{"report":{"cause":' + deep + b"}}").code == "refused"
        assert self.said({"report": {"cause": wide}}).message == "m"

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("mail ada@example.com, bob@x.y", "mail <address>, <address>"),
            ("#/a: string [eur] does not match", "#/a: string [..] does not match"),
            ("required key [eVar14] not found", "required key eVar<n> not found"),
            ("extraneous key [x] is not permitted", "extraneous key x is not permitted"),
            ("The 'header' field, not 'Ada'", "The header field, not '..'"),
            ('can\'t read "Ada" at 17', 'can\'t read ".." at <n>'),
            ("see https://x.example/a?b=c now", "see <url> now"),
            ("id 01E2EMRMM6TZ12TF9WGZN0WJQT", "id <id>"),
            ("id 9341f8eb-494a-4c89-9879-4d06a58d2dc7", "id <id>"),
            ("cut off [ada", "cut off [..]"),
        ],
    )
    def test_a_text_for_logs_has_no_values(self, text: str, shown: str) -> None:
        assert normalise(text) == shown


receipts = st.sampled_from([f"{BATCH}:0", f"{BATCH}:1", f"{BATCH}:2", f"{BATCH}:9", "a", "1:2:3"])
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(0, 1e3)
statuses = st.sampled_from([200, 400, "400", 401, 413, 429, 500, "x", None, 302])
entries = st.one_of(
    st.fixed_dictionaries({"xactionId": receipts}),
    st.fixed_dictionaries(
        {},
        optional={"xactionId": receipts | scalars, "status": statuses, "statusCode": statuses,
                  "message": st.text(max_size=9), "report": scalars, "z": scalars},
    ),
    scalars,
)  # fmt: skip
answers = st.fixed_dictionaries(
    {},
    optional={"responses": st.lists(entries, max_size=6) | scalars, "batchId": receipts | scalars,
              "xactionId": receipts | scalars, "inletId": scalars, "receivedTimeMs": scalars,
              "report": st.recursive(scalars, lambda s: st.dictionaries(
                  st.sampled_from(["message", "cause", "causingExceptions", "_errors"]),
                  s | st.lists(s)), max_leaves=9)},
)  # fmt: skip
bodies = st.binary(max_size=60) | st.builds(
    lambda found: orjson.dumps(found, option=orjson.OPT_PASSTHROUGH_SUBCLASS),
    (answers | scalars).filter(lambda found: _fits(found)),
)


def _fits(found: Any) -> bool:
    try:
        orjson.dumps(found)
    except (TypeError, orjson.JSONEncodeError):
        return False
    return True


def says_accepted(entry: Any) -> bool:
    """The test's own reading of one entry, kept apart from the code's."""
    if not isinstance(entry, dict):
        return False
    told = [str(entry[key]) for key in ("status", "statusCode") if key in entry]
    if told:
        return all(text == "200" for text in told)
    return isinstance(entry.get("xactionId"), str) and entry["xactionId"] != ""


@settings(max_examples=400)
@given(st.sampled_from([200, 207]) | st.integers(100, 599), bodies, st.integers(1, 5),
       st.dictionaries(st.sampled_from(["Retry-After", "Date"]), st.text(max_size=30)),
       st.booleans())  # fmt: skip
def test_any_answer_gives_one_outcome_per_message_and_delivers_nothing_unproven(
    status: int, body: bytes, count: int, headers: dict[str, str], proven: bool
) -> None:
    answer = read_answer(status, headers, body, count, now=0.0, batches_proven=proven)

    assert len(answer.outcomes) == count
    assert answer.uniform == all(outcome is answer.outcomes[0] for outcome in answer.outcomes)
    delivered = sum(outcome.verdict is D for outcome in answer.outcomes)
    rejected = sum(outcome.verdict is R for outcome in answer.outcomes)
    if delivered:
        found = orjson.loads(body)
        listed = found.get("responses")
        proofs = sum(map(says_accepted, listed)) if isinstance(listed, list) else count == 1
        assert 200 <= status <= 299
        assert delivered <= proofs
    if rejected and not 200 <= status <= 299:
        assert count == 1  # no message dies for its neighbours
    if answer.next is Next.SINGLES:
        assert count > 1
