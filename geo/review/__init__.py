"""Looking a border set over before it is believed: findings, repairs on request, differences, pictures."""
