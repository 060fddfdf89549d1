"""What measurements of groups share: functions of products, what a and b bring, cosets."""
