"""What a reporter is told before their particulars are kept; a changed text gets a new version."""

NOTICE_VERSION = "2026-11.2"
# What Articles 17 and 35 of the Personal Information Protection Law ask to be told: who, what for, how, how long, rights.
NOTICE = (
    "您的个人信息由本市 12345 热线和网格化服务中心处理。姓名和电话只用于办理和回访本件事;承办单位看到的是遮挡后的号码,查看完整号码须写明原因并留下记录。"
    "电话依法保存到结案后的保存期满即删除;您可以不留,可以要求保密,也可以随时拨打 12345 查询、更正或要求删除。"
)
