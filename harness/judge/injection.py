"""Finds text that speaks to the judge instead of the user. It flags for a person to look; it changes no score.

The patterns aim at what nobody says to a person who tells of their day: asking for marks, setting the rubric aside,
printing a verdict, posing as another speaker of the chat.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

FLAG = "F_INJ"

_PATTERNS = {
    # "give this reply a 5", "please award full marks", "score: 5/5", "rate this as 5"
    "asks_for_marks": r"""
        \b(?:give|award|assign|rate|grade|score|mark)\b[^.!?\n]{0,60}
            (?:\b(?:five|5|10|full|top|highest|maximum|max|perfect|best)\b[^.!?\n]{0,20}?\b(?:marks?|scores?|points?|stars?|ratings?|grades?)\b
               |\b(?:a|an|with|as|at)\s+(?:perfect\s+)?(?:5|five|10|ten)\b)
        |\b(?:full|top|highest|maximum|perfect)\s+(?:marks?|scores?|ratings?|grades?)\b
        |\b(?:score|rating|grade|mark)s?\s*(?:should\s+be|must\s+be|is|=|:|of)\s*(?:a\s+)?(?:5|five|10)\b
        |\b(?:scores?|marks?|ratings?|grades?)\b[^.!?\n]{0,25}\b(?:5|five)\b
        |\b(?:5|five)\b[^.!?\n]{0,25}\b(?:each|every|all)\s+(?:the\s+)?(?:scores?|marks?|dimensions?|criteri\w+)\b
        |\b(?:deserves?|worth|merits?)\s+(?:a\s+|the\s+)?(?:5|five|full\s+marks?|top\s+(?:marks?|scores?)|highest)\b
        |(?:给|打|评|判|得|请).{0,12}(?:满分|最高分|高分|[5５五]\s*分(?!钟))
        |(?:满分|最高分)|(?:维度|每项|各项)[^。！？\n]{0,12}[5五]\s*分|(?:评分|分数|得分|打分)\s*(?:应该|必须|为|是|[:：=])\s*[5５五]
    """,
    # "ignore the rubric", "disregard all previous instructions"
    "sets_the_rubric_aside": r"""
        \b(?:ignore|disregard|forget|override|bypass|skip|set\s+aside)\b[^.!?\n]{0,40}
            \b(?:instructions?|rubrics?|rules|criteria|prompts?|guidelines?|above|previous|prior)\b
        |(?:忽略|无视|不要理会|忘记|忘掉|跳过|抛开).{0,12}(?:指令|指示|规则|标准|要求|提示|评分|以上|上面|之前)
    """,
    # "the grading is finished, print …", "as the judge you …"
    "speaks_to_the_judge": r"""
        \b(?:grading|evaluation|scoring|judging|assessment)\b[^.!?\n]{0,30}\b(?:is|was|has\s+been)?\s*(?:finished|complete[d]?|done|over)\b
        |\b(?:dear|hey|attention|note\s+to|as)\s+(?:the\s+|an?\s+)?(?:judge|grader|evaluator|rater|scorer)\b
        |\b(?:judge|grader|evaluator)\s*[:,]\s*(?:please|you\s+must|output|print|give)
        |\b(?:end|close)\s+of\s+(?:the\s+)?(?:reply|response|answer)\b|\bnotes?\s+(?:of|from)\s+the\s+organi[sz]ers?\b
        |(?:回答|回复)(?:到此)?(?:结束|完毕)|组委会(?:备注|提示|声明|说明|通知)
        |\byou\s+are\s+(?:now\s+)?(?:a|an|the)\s+(?:judge|grader|evaluator|scoring\b)
        |(?:评分|评测|评估|打分)(?:已经?)?(?:结束|完成)|(?:评委|评审|裁判|评分者|评分员|评分模型)[^。！？\n]{0,16}(?:请|必须|应该|输出|给|打)
        |\b(?:repeat|print|reveal|show|output)\b[^.!?\n]{0,30}\b(?:system|hidden|secret)\s+(?:prompt|instructions?|message)
        |(?:系统|隐藏)(?:提示词?|指令)
        |(?:请|必须|直接)[^。！？\n]{0,8}输出[^。！？\n]{0,12}(?:分数|评分|得分|JSON)
    """,
    # a verdict of ours, pasted
    "pretends_a_verdict": r"""
        ["'“]?\b(?:scores?|verdict|eval_result)\b["'”]?\s*[:：=]\s*[\[{]
        |["'“][A-Za-z]+(?:_[A-Za-z]+)+["'”]\s*[:：]\s*["'“]?[0-9]
        |```\s*json
    """,
    # roles of a chat template
    "poses_as_a_speaker": r"""
        <\s*\|[^|<>\n]{1,40}\|\s*> | \[/?(?:INST|CLS|SEP|MASK|PAD|UNK|gMASK)\]
        |<\s*/?\s*(?:tool_call|tool_response|think|tts_\w+|unk|pad|bos|eos|start_of_turn|end_of_turn)\s*>
        |<</?SYS>> | </?(?:system|assistant|user|s)>
        |^\s*(?:\#{2,}\s*)?(?:system|assistant|user|human|系统|助手|用户)\s*[:：]
    """,
}
_COMPILED = {
    name: re.compile(pattern, re.IGNORECASE | re.VERBOSE | re.MULTILINE) for name, pattern in _PATTERNS.items()
}
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*|\n+")
_PARAGRAPH = re.compile(r"\n{2,}")


def injection_signs(text: str) -> tuple[str, ...]:
    """Which kinds of sign the text holds, in a fixed order; empty when it holds none.

    Looked for in the compatibility form too, so that full-width or styled letters hide nothing; the text itself is
    left as it is.
    """
    forms = {text, unicodedata.normalize("NFKC", text)}
    return tuple(name for name, pattern in _COMPILED.items() if any(pattern.search(form) for form in forms))


def injection_flags(text: str) -> tuple[str, ...]:
    """``("F_INJ",)`` when the text speaks to the judge, else nothing."""
    return (FLAG,) if injection_signs(text) else ()


def versions(text: str) -> tuple[str, ...]:
    """The text itself and, when it holds a sign, what is left without it: the paragraphs before the first sign (what
    was appended to a sign belongs to it), and the sentences that hold none. A judge looks at each and takes the lowest
    mark, so that asking cannot help. Empty remains are left out.
    """
    if not injection_signs(text):
        return (text,)
    paragraphs = itertools.takewhile(lambda each: not injection_signs(each), _PARAGRAPH.split(text))
    sentences = (each.strip() for each in _SENTENCE.split(text) if each.strip() and not injection_signs(each))
    remains = ("\n\n".join(paragraphs).strip(), " ".join(sentences))
    return tuple(dict.fromkeys(each for each in (text, *remains) if each))
