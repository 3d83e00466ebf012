import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../api.ts";
import { Button } from "../components/button.tsx";
import { Entrance } from "../components/entrance.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Field } from "../components/field.tsx";
import { sessionQuery } from "../queries.ts";

const route = getRouteApi("/sign-in");

/** Only addresses of this dashboard are gone to: `next` comes from the address bar. */
const ownAddress = (next: string | undefined): string => (next && /^\/(?![/\\])/.test(next) ? next : "/");

export function SignInPage() {
  const { next } = route.useSearch();
  const [credentials, setCredentials] = useState({ email: "", password: "" });
  const client = useQueryClient();
  const router = useRouter();
  const signIn = useMutation({
    mutationFn: () => api.signIn(credentials),
    onSuccess(user) {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, user);
      router.history.replace(ownAddress(next));
    },
  });
  return (
    <Entrance title="Sign in">
      <form
        data-testid="sign-in"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate();
        }}
      >
        <Field
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          required
          autoFocus
          value={credentials.email}
          onChange={(event) => setCredentials({ ...credentials, email: event.currentTarget.value })}
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
          value={credentials.password}
          onChange={(event) => setCredentials({ ...credentials, password: event.currentTarget.value })}
        />
        {signIn.error && <ErrorNotice error={signIn.error} />}
        <Button type="submit" look="primary" busy={signIn.isPending} className="h-9 w-full">
          Sign in
        </Button>
      </form>
    </Entrance>
  );
}
