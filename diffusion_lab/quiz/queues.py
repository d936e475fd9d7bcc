"""What an answer or a key does to the queue of a sitting. Pure: a sitting goes in, a sitting comes out."""

from diffusion_lab.quiz.resume import Sitting

# A failed card comes back this often in one session.
RETRIES = 2


def answered(sitting: Sitting, failed: str = "") -> Sitting:
    """The next place, without a draft. failed: a card that comes again at the end, if not too often."""
    again = (failed,) if failed and sitting.queue.count(failed) <= RETRIES else ()
    return sitting._replace(pos=sitting.pos + 1, draft="", queue=(*sitting.queue, *again))


def followed(sitting: Sitting, card_id: str) -> Sitting:
    """The card comes next, and only there."""
    rest = [id for id in sitting.queue[sitting.pos :] if id != card_id]
    return sitting._replace(queue=(*sitting.queue[: sitting.pos], card_id, *rest))


def skipped(sitting: Sitting, card_id: str, drop: bool) -> Sitting:
    """The card being asked goes to the end; with `drop`, or if it is the last one, it is passed over."""
    if sitting.queue[sitting.pos : sitting.pos + 1] != (card_id,):
        return sitting  # it was answered already
    rest = [id for id in sitting.queue[sitting.pos :] if id != card_id]
    if drop or not rest:
        return sitting._replace(pos=sitting.pos + 1)
    return sitting._replace(queue=(*sitting.queue[: sitting.pos], *rest, card_id))


def without(sitting: Sitting, card_id: str) -> Sitting:
    """The card is not asked any more; if it is being asked, the next one is."""
    now = sitting.queue[sitting.pos : sitting.pos + 1] == (card_id,)
    rest = [id for id in sitting.queue[sitting.pos :] if id != card_id]
    queue = (*sitting.queue[: sitting.pos], *([card_id] * now), *rest)
    return sitting._replace(queue=queue, pos=sitting.pos + now)


def back_to(sitting: Sitting, card_id: str, failed: bool) -> Sitting:
    """The card is asked next, as before its last answer. failed: that answer had put it at the end too."""
    queue, pos = sitting.queue, sitting.pos
    if failed and card_id in queue[pos:] and queue[-1] == card_id:
        queue = queue[:-1]
    if pos and queue[pos - 1] == card_id:
        return sitting._replace(queue=queue, pos=pos - 1, draft="")
    return sitting._replace(queue=(*queue[:pos], card_id, *queue[pos:]), draft="")
