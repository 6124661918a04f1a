"""What is answered of many lines: the refusals that are told one by one, and the gravest of all."""

import pytest

from services.ingest.cloudevents import MOST_REFUSED, Answer, LinesRead, _note, answer_of


@pytest.mark.parametrize(("last", "status"), [(422, 422), (503, 503), (202, 422)])
def test_an_outage_is_the_answer_however_many_were_refused_before(last: int, status: int) -> None:
    said = LinesRead(accepted=0, refused=0, through=0, items=[])
    for at in range(1, MOST_REFUSED + 11):
        _note(said, Answer(at=at, status=422, code="bad_value", reasons=["x"]))
    _note(said, Answer(at=MOST_REFUSED + 11, status=last))
    answer = answer_of(said)
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 503)
    assert said.accepted + said.refused == MOST_REFUSED + 11
    assert sum(item.status == 422 for item in said.items) == MOST_REFUSED
