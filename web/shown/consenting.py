"""What a reporter is told before their particulars are kept; a changed text gets a new version."""

NOTICE_VERSION = "2026-11"
NOTICE = (
    "姓名和电话只用于办理和回访本件事;承办单位看到的是遮挡后的号码,查看完整号码须写明原因并留下记录。"
    "可以不留,也可以要求保密。"
)
