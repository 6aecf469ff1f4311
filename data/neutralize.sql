-- a copy of a database charges nobody: without a key it signs no grant and believes no event
UPDATE card_terminal_driver
   SET key = NULL;
