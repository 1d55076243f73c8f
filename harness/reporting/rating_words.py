"""What the rating page says, in English and in Chinese."""

from __future__ import annotations

from typing import Any

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Rate the replies",
        "switch": "中文",
        "welcome": "You will hear replies of several systems, without names and in an order of your own. Read the "
        "dialogue, listen to the last reply to its end, then mark it. What you enter is kept in this browser only; at "
        "the end, save the file and send it to the organisers.",
        "headphones": "Please use headphones in a quiet room and do not talk about the replies with other raters.",
        "rater": "Your rater id",
        "rater_rule": "Letters, digits, dot, dash and underscore, at most 64.",
        "start": "Start",
        "user": "User",
        "reply": "System",
        "rated_reply": "System: the reply to rate",
        "play": "Play the reply",
        "again": "Play again",
        "stop": "Stop",
        "listen_first": "Listen to the end before you mark.",
        "unplayable": "This reply cannot be played here. Leave it without marks and go on.",
        "previous": "Previous",
        "next": "Next",
        "unrated": "Next without marks",
        "export": "Save the ratings (CSV)",
        "done": "All replies are marked. Save the ratings and send the file to the organisers.",
        "progress": "{rated} of {total} marked",
        "item": "Reply {number} of {total}",
        "partial": "{left} replies have no marks yet. You can save now and go on later.",
        "saved": "Saved in this browser.",
        "unsaved": "This browser keeps nothing: save the ratings before you close the page.",
        "leave": "Another rater",
        "keys": "Keys: space plays and stops, digits mark, ↑ ↓ choose the question, Enter or → goes on, ← goes back.",
    },
    "zh": {
        "title": "为回复打分",
        "switch": "English",
        "welcome": "您将听到多个系统的回复。系统不具名，每位评分员的顺序各不相同。"
        "请先阅读对话，把最后一条回复听完，再打分。您的评分只保存在本浏览器中；完成后请保存文件并发给组织者。",
        "headphones": "请在安静的环境中佩戴耳机，不要与其他评分员讨论这些回复。",
        "rater": "您的评分员编号",
        "rater_rule": "可用字母、数字、点、短横线和下划线，最多 64 个字符。",
        "start": "开始",
        "user": "用户",
        "reply": "系统",
        "rated_reply": "系统：请为这条回复打分",
        "play": "播放回复",
        "again": "再听一遍",
        "stop": "停止",
        "listen_first": "请先听完再打分。",
        "unplayable": "这条回复无法在此播放。请不要打分，继续下一条。",
        "previous": "上一条",
        "next": "下一条",
        "unrated": "下一条未评的",
        "export": "保存评分（CSV）",
        "done": "全部回复都已打分。请保存评分，并把文件发给组织者。",
        "progress": "已评 {rated} 条，共 {total} 条",
        "item": "第 {number} 条，共 {total} 条",
        "partial": "还有 {left} 条没有打分。可以先保存，以后再继续。",
        "saved": "已保存在本浏览器中。",
        "unsaved": "本浏览器无法保存：请在关闭页面之前保存评分文件。",
        "leave": "更换评分员",
        "keys": "快捷键：空格播放或停止，数字打分，↑ ↓ 选择问题，回车或 → 下一条，← 上一条。",
    },
}

# A dimension's question and what its marks mean.
DIMENSIONS: dict[str, dict[str, dict[str, Any]]] = {
    "vocal_empathy_congruence": {
        "en": {
            "name": "Does the voice suit how the user feels?",
            "marks": {
                "1": "the opposite of what the moment needs",
                "2": "partly at odds",
                "3": "neutral, does not disturb",
                "4": "suits, with small slips",
                "5": "suits all through",
            },
        },
        "zh": {
            "name": "声音的情感与用户的心情相符吗？",
            "marks": {"1": "完全相反", "2": "部分不符", "3": "中性，不违和", "4": "相符，略有偏差", "5": "始终相符"},
        },
    },
    "audio_quality_naturalness": {
        "en": {
            "name": "Is the sound clean and natural?",
            "marks": {
                "1": "hardly intelligible or broken",
                "2": "an effort to listen to",
                "3": "synthetic or a little noisy, easy to follow",
                "4": "clean, hardly any artefacts",
                "5": "clean, like a person",
            },
        },
        "zh": {
            "name": "声音清晰自然吗？",
            "marks": {
                "1": "难以听懂",
                "2": "听着吃力",
                "3": "有合成感或少许噪声",
                "4": "清晰，几乎无瑕疵",
                "5": "清晰，如真人",
            },
        },
    },
}

EMOTIONS: dict[str, dict[str, str]] = {
    "zh": {
        "happy": "高兴",
        "sad": "悲伤",
        "anger": "愤怒",
        "fear": "恐惧",
        "neutral": "中性",
        "surprise": "惊讶",
        "disgust": "厌恶",
    }
}
