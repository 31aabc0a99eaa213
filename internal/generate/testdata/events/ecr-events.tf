# Made by "transship generate events". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# ECR's events for "transship sync --events": what is pushed to a source goes
# from EventBridge into a queue. Events are best effort; the sync's own listing
# of both sides is the safety net.

# 123456789012.dkr.ecr.eu-west-1.amazonaws.com
resource "aws_sqs_queue" "transship_123456789012_eu_west_1" {
  provider = aws.transship_123456789012_eu_west_1
  name     = "transship-ecr-events"
  # For a sync that stands still over a long weekend; the most that there is.
  message_retention_seconds = 1209600
  # How long a message is hidden from others; transship extends it while it copies.
  visibility_timeout_seconds = 300
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.transship_123456789012_eu_west_1_dead.arn
    maxReceiveCount     = 10
  })
}

resource "aws_sqs_queue" "transship_123456789012_eu_west_1_dead" {
  provider                  = aws.transship_123456789012_eu_west_1
  name                      = "transship-ecr-events-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "transship_123456789012_eu_west_1_dead" {
  provider  = aws.transship_123456789012_eu_west_1
  queue_url = aws_sqs_queue.transship_123456789012_eu_west_1_dead.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.transship_123456789012_eu_west_1.arn]
  })
}

resource "aws_cloudwatch_event_rule" "transship_123456789012_eu_west_1" {
  provider    = aws.transship_123456789012_eu_west_1
  name        = "transship-ecr-events"
  description = "Pushes, deletions, replication and archiving in ECR, for transship sync"
  event_pattern = jsonencode({
    source      = ["aws.ecr"]
    detail-type = ["ECR Image Action", "ECR Replication Action"]
    detail = {
      result = ["SUCCESS"]
    }
  })
}

resource "aws_cloudwatch_event_target" "transship_123456789012_eu_west_1" {
  provider  = aws.transship_123456789012_eu_west_1
  rule      = aws_cloudwatch_event_rule.transship_123456789012_eu_west_1.name
  target_id = "transship-ecr-events"
  arn       = aws_sqs_queue.transship_123456789012_eu_west_1.arn

  dead_letter_config {
    arn = aws_sqs_queue.transship_123456789012_eu_west_1_dead.arn
  }
}

resource "aws_sqs_queue_policy" "transship_123456789012_eu_west_1" {
  provider  = aws.transship_123456789012_eu_west_1
  queue_url = aws_sqs_queue.transship_123456789012_eu_west_1.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventBridge"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.transship_123456789012_eu_west_1.arn
      Condition = {
        ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.transship_123456789012_eu_west_1.arn }
      }
    }]
  })
}

resource "aws_sqs_queue_policy" "transship_123456789012_eu_west_1_dead" {
  provider  = aws.transship_123456789012_eu_west_1
  queue_url = aws_sqs_queue.transship_123456789012_eu_west_1_dead.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventBridge"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.transship_123456789012_eu_west_1_dead.arn
      Condition = {
        ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.transship_123456789012_eu_west_1.arn }
      }
    }]
  })
}

# Attach it to whoever runs the sync.
resource "aws_iam_policy" "transship_123456789012_eu_west_1" {
  provider    = aws.transship_123456789012_eu_west_1
  name        = "transship-ecr-events-eu-west-1"
  description = "Take ECR's events from the queue, for transship sync"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "TransshipEvents"
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      Resource = aws_sqs_queue.transship_123456789012_eu_west_1.arn
    }]
  })
}

# 123456789012.dkr.ecr.us-east-1.amazonaws.com
resource "aws_sqs_queue" "transship_123456789012_us_east_1" {
  provider = aws.transship_123456789012_us_east_1
  name     = "transship-ecr-events"
  # For a sync that stands still over a long weekend; the most that there is.
  message_retention_seconds = 1209600
  # How long a message is hidden from others; transship extends it while it copies.
  visibility_timeout_seconds = 300
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.transship_123456789012_us_east_1_dead.arn
    maxReceiveCount     = 10
  })
}

resource "aws_sqs_queue" "transship_123456789012_us_east_1_dead" {
  provider                  = aws.transship_123456789012_us_east_1
  name                      = "transship-ecr-events-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "transship_123456789012_us_east_1_dead" {
  provider  = aws.transship_123456789012_us_east_1
  queue_url = aws_sqs_queue.transship_123456789012_us_east_1_dead.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.transship_123456789012_us_east_1.arn]
  })
}

resource "aws_cloudwatch_event_rule" "transship_123456789012_us_east_1" {
  provider    = aws.transship_123456789012_us_east_1
  name        = "transship-ecr-events"
  description = "Pushes, deletions, replication and archiving in ECR, for transship sync"
  event_pattern = jsonencode({
    source      = ["aws.ecr"]
    detail-type = ["ECR Image Action", "ECR Replication Action"]
    detail = {
      result = ["SUCCESS"]
    }
  })
}

resource "aws_cloudwatch_event_target" "transship_123456789012_us_east_1" {
  provider  = aws.transship_123456789012_us_east_1
  rule      = aws_cloudwatch_event_rule.transship_123456789012_us_east_1.name
  target_id = "transship-ecr-events"
  arn       = aws_sqs_queue.transship_123456789012_us_east_1.arn

  dead_letter_config {
    arn = aws_sqs_queue.transship_123456789012_us_east_1_dead.arn
  }
}

resource "aws_sqs_queue_policy" "transship_123456789012_us_east_1" {
  provider  = aws.transship_123456789012_us_east_1
  queue_url = aws_sqs_queue.transship_123456789012_us_east_1.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventBridge"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.transship_123456789012_us_east_1.arn
      Condition = {
        ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.transship_123456789012_us_east_1.arn }
      }
    }]
  })
}

resource "aws_sqs_queue_policy" "transship_123456789012_us_east_1_dead" {
  provider  = aws.transship_123456789012_us_east_1
  queue_url = aws_sqs_queue.transship_123456789012_us_east_1_dead.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventBridge"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.transship_123456789012_us_east_1_dead.arn
      Condition = {
        ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.transship_123456789012_us_east_1.arn }
      }
    }]
  })
}

# Attach it to whoever runs the sync.
resource "aws_iam_policy" "transship_123456789012_us_east_1" {
  provider    = aws.transship_123456789012_us_east_1
  name        = "transship-ecr-events-us-east-1"
  description = "Take ECR's events from the queue, for transship sync"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "TransshipEvents"
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      Resource = aws_sqs_queue.transship_123456789012_us_east_1.arn
    }]
  })
}

# 210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn
resource "aws_sqs_queue" "transship_210987654321_cn_north_1" {
  provider = aws.transship_210987654321_cn_north_1
  name     = "transship-ecr-events"
  # For a sync that stands still over a long weekend; the most that there is.
  message_retention_seconds = 1209600
  # How long a message is hidden from others; transship extends it while it copies.
  visibility_timeout_seconds = 300
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.transship_210987654321_cn_north_1_dead.arn
    maxReceiveCount     = 10
  })
}

resource "aws_sqs_queue" "transship_210987654321_cn_north_1_dead" {
  provider                  = aws.transship_210987654321_cn_north_1
  name                      = "transship-ecr-events-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "transship_210987654321_cn_north_1_dead" {
  provider  = aws.transship_210987654321_cn_north_1
  queue_url = aws_sqs_queue.transship_210987654321_cn_north_1_dead.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.transship_210987654321_cn_north_1.arn]
  })
}

resource "aws_cloudwatch_event_rule" "transship_210987654321_cn_north_1" {
  provider    = aws.transship_210987654321_cn_north_1
  name        = "transship-ecr-events"
  description = "Pushes, deletions, replication and archiving in ECR, for transship sync"
  event_pattern = jsonencode({
    source      = ["aws.ecr"]
    detail-type = ["ECR Image Action", "ECR Replication Action"]
    detail = {
      result = ["SUCCESS"]
    }
  })
}

resource "aws_cloudwatch_event_target" "transship_210987654321_cn_north_1" {
  provider  = aws.transship_210987654321_cn_north_1
  rule      = aws_cloudwatch_event_rule.transship_210987654321_cn_north_1.name
  target_id = "transship-ecr-events"
  arn       = aws_sqs_queue.transship_210987654321_cn_north_1.arn

  dead_letter_config {
    arn = aws_sqs_queue.transship_210987654321_cn_north_1_dead.arn
  }
}

resource "aws_sqs_queue_policy" "transship_210987654321_cn_north_1" {
  provider  = aws.transship_210987654321_cn_north_1
  queue_url = aws_sqs_queue.transship_210987654321_cn_north_1.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventBridge"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.transship_210987654321_cn_north_1.arn
      Condition = {
        ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.transship_210987654321_cn_north_1.arn }
      }
    }]
  })
}

resource "aws_sqs_queue_policy" "transship_210987654321_cn_north_1_dead" {
  provider  = aws.transship_210987654321_cn_north_1
  queue_url = aws_sqs_queue.transship_210987654321_cn_north_1_dead.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventBridge"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.transship_210987654321_cn_north_1_dead.arn
      Condition = {
        ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.transship_210987654321_cn_north_1.arn }
      }
    }]
  })
}

resource "aws_iam_policy" "transship_210987654321_cn_north_1" {
  provider    = aws.transship_210987654321_cn_north_1
  name        = "transship-ecr-events-cn-north-1"
  description = "Take ECR's events from the queue, for transship sync"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "TransshipEvents"
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      Resource = aws_sqs_queue.transship_210987654321_cn_north_1.arn
    }]
  })
}

resource "aws_iam_role_policy_attachment" "transship_210987654321_cn_north_1__migration_reader" {
  provider   = aws.transship_210987654321_cn_north_1
  role       = "migration-reader"
  policy_arn = aws_iam_policy.transship_210987654321_cn_north_1.arn
}

# For transship sync, one --events each.
output "transship_events" {
  value = {
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com"     = aws_sqs_queue.transship_123456789012_eu_west_1.url
    "123456789012.dkr.ecr.us-east-1.amazonaws.com"     = aws_sqs_queue.transship_123456789012_us_east_1.url
    "210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn" = aws_sqs_queue.transship_210987654321_cn_north_1.url
  }
}
