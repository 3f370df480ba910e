# What the desk says. No figures here: values come in as {$name}, and {$name-short} is the shorter wording of a time.
# A message may have variants: further lines `.b = …`, used in turn.

greeting = Good day, this is the automatic assistant of {$house}. How can I help you?
hello = Hello.
open = How can I help you?
open-again = You can ask about breakfast, parking or check-out, for example.
open-help = I can tell you about breakfast, check-in, parking, the pool and the restaurant. Or I can book a late check-out.
open-keypad = Press one for breakfast, two for a late check-out, three for check-out times, or four for parking.
anything_else = Is there anything else?
    .b = Anything else I can do for you?
anything_else-again = Is there anything else I can help with?
bye = Goodbye, and enjoy your stay.
thanks = You're welcome.
wait = Of course, take your time.
person = I'm sorry, I can't connect you from here. The team at the front desk is happy to help you.
stopped = All right, I'll leave that.
emergency = Please hang up and dial {$emergency_number} now. If there is a fire, leave by the stairs.
nomatch = Sorry, I didn't get that.
    .b = Sorry, I didn't understand.
nomatch-person = I'm sorry, I can't help with that by phone. Please ask at the front desk.
noinput-person = If you would rather speak to a person, please come to the front desk.
noinput-end = I can't hear you.
too_long = Sorry, that was too much for me at once.
limit = I'm sorry, we have to stop here.
no_fact = I'm sorry, I don't have that here.
tool_failed = I'm sorry, that didn't work, and nothing was changed. Please ask at the front desk.
deny-card_by_voice = Please don't tell me card numbers, I never need them. You can pay at the front desk.
keypad-yes_no = Press one for yes, or two for no.

late_check_out-ask-time = Until what time would you like to keep the room?
late_check_out-ask-time-again = Until what time, please? For example, one o'clock.
late_check_out-ask-time-help = Just say a time, such as noon, or half past one.
late_check_out-ask-time-keypad = Please type the time with four digits. For example, one three three oh for half past one.
late_check_out-ask-room = What is your room number?
late_check_out-ask-room-again = Your room number, please? For example, two oh four.
late_check_out-ask-room-help = It is on the little folder of your key card. Please say it digit by digit.
late_check_out-ask-room-keypad = Please type your room number on the keypad.
late_check_out-confirm = { $free ->
    [yes] Room {$room}, until {$time}, free of charge. Shall I book that?
   *[no] Room {$room}, until {$time}, for {$price}. Shall I book that?
    }
late_check_out-confirm-time = { $free ->
    [yes] So until {$time}, free of charge. Shall I book that?
   *[no] So until {$time}, for {$price}. Shall I book that?
    }
late_check_out-confirm-room = So room {$room}, until {$time}. Shall I book that?
late_check_out-confirm-again = Shall I book the late check-out?
late_check_out-change = What should I change, the time or the room?
late_check_out-change-again = Please tell me the new time, or the right room number.
late_check_out-offer-time = Would {$alternative} be all right?
late_check_out-offer-time-again = Would you like {$alternative} instead?
late_check_out-done = It's booked, you have the room until {$time}.
late_check_out-unfinished = Your late check-out is not booked.
late_check_out-deny-unknown_room = I can't book that for room {$room}.
late_check_out-deny-too_late = {$time} is too late, the latest is {$latest}.
late_check_out-deny-not_needed = You can stay until {$check_out} in any case.
late_check_out-deny-next_guest = We need the room for the next guest before that.
late_check_out-deny-fully_booked = We need the room for the next guest, so a late check-out isn't possible.
late_check_out-deny-price_changed = The price has just changed, let me look again.
