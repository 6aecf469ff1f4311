-- a copy of a database charges nobody: without a key it signs no grant and believes no event
UPDATE card_terminal_driver
   SET sealed_key = NULL,
       sealed_next_key = NULL;
DELETE FROM card_terminal_pairing;
