-- Whatever gives an account an address asks whether another account holds it, whichever version of the service it is of. A held
-- address is refused as a taken one is. After the row is written, and so after the wait for whoever gives the address up: what
-- that transaction has held is seen then.
CREATE FUNCTION "refuse_held_email"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM email_holds WHERE email = NEW.email AND user_id <> NEW.id AND until > now()) THEN
    RAISE unique_violation USING MESSAGE = 'duplicate key value violates unique constraint "email_holds_pkey"', CONSTRAINT = 'email_holds_pkey', TABLE = 'email_holds';
  END IF;
  RETURN NULL;
END;
$$;

CREATE TRIGGER "refuse_held_email" AFTER INSERT OR UPDATE OF "email" ON "users" FOR EACH ROW EXECUTE FUNCTION "refuse_held_email"();
