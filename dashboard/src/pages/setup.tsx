import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { clsx } from "clsx";
import { useState } from "react";
import { api } from "../api.ts";
import { Button, buttonClass } from "../components/button.tsx";
import { Entrance } from "../components/entrance.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Field } from "../components/field.tsx";
import { judgePassword, shortestPassword, type PasswordStrength } from "../password-strength.ts";
import { sessionQuery } from "../queries.ts";

const route = getRouteApi("/setup");

export function SetupPage() {
  const { token = "" } = route.useSearch();
  const link = useQuery({ queryKey: ["setup", token], queryFn: () => api.setupLink(token), retry: false });
  if (link.isPending) return <Entrance title="Checking the setup link…">{null}</Entrance>;
  if (link.data?.live !== true) return <DeadLink error={link.error} />;
  return (
    <Entrance
      title="Create the first account"
      lead="It becomes the administrator of this installation. The link works once."
    >
      <SetupForm token={token} />
    </Entrance>
  );
}

function DeadLink({ error }: { readonly error: unknown }) {
  return (
    <Entrance
      title="This setup link is not valid"
      lead="It was used already, has expired, or was cut off when it was copied."
    >
      {error !== null && <ErrorNotice error={error} />}
      <p className="my-4 text-ink-2">
        As long as there is no account, each start of Sluice prints a new link to its terminal. Is there an account
        already?
      </p>
      <Link to="/sign-in" className={buttonClass("primary")}>
        Sign in
      </Link>
    </Entrance>
  );
}

function SetupForm({ token }: { readonly token: string }) {
  const [account, setAccount] = useState({ name: "", email: "", password: "" });
  const client = useQueryClient();
  const navigate = useNavigate();
  const setUp = useMutation({
    mutationFn: () => api.setUp({ token, ...account }),
    async onSuccess(user) {
      client.setQueryData(sessionQuery.queryKey, user);
      await navigate({ to: "/", replace: true });
    },
  });
  const set = (name: keyof typeof account) => (event: { currentTarget: HTMLInputElement }) =>
    setAccount({ ...account, [name]: event.currentTarget.value });
  return (
    <form
      data-testid="setup"
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        setUp.mutate();
      }}
    >
      <Field
        label="Name"
        name="name"
        autoComplete="name"
        required
        autoFocus
        value={account.name}
        onChange={set("name")}
      />
      <Field
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        required
        value={account.email}
        onChange={set("email")}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        required
        minLength={shortestPassword}
        value={account.password}
        onChange={set("password")}
        note={
          <StrengthHint
            strength={judgePassword(account.password, [account.name, account.email])}
            empty={account.password === ""}
          />
        }
      />
      {setUp.error && <ErrorNotice error={setUp.error} />}
      <Button type="submit" look="primary" busy={setUp.isPending} className="h-9 w-full">
        Create account
      </Button>
    </form>
  );
}

const strengthTones = ["bg-line-strong", "bg-fail", "bg-doubt", "bg-ok"] as const;

function StrengthHint({ strength, empty }: { readonly strength: PasswordStrength; readonly empty: boolean }) {
  return (
    <>
      <span aria-hidden="true" className="mt-2 mb-1.5 grid grid-cols-3 gap-1">
        {[1, 2, 3].map((step) => (
          <span
            key={step}
            className={clsx("h-1 rounded-full", strengthTones[step <= strength.level ? strength.level : 0])}
          />
        ))}
      </span>
      <span aria-live="polite">
        {empty
          ? `${shortestPassword} characters at least. Four random words are strong and easy to keep.`
          : strength.words}
      </span>
    </>
  );
}
