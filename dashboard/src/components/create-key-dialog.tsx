import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { api, type Role } from "../api.ts";
import { keysQuery } from "../queries.ts";
import { Button } from "./button.tsx";
import { CopyButton } from "./copy-button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { Field, Select } from "./field.tsx";

const roleWords: { readonly [role in Role]: string } = {
  admin: "everything, also keys",
  builder: "read, start, resume and cancel runs, change samples",
  operator: "read, start, resume and cancel runs",
  approver: "read, and decide reviews",
  auditor: "read everything",
  viewer: "read",
};

/** Makes a key and shows its token, once. */
export function CreateKeyDialog({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const formId = useId();
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () => api.createKey({ name: name.trim(), role }),
    onSuccess: () => client.invalidateQueries({ queryKey: keysQuery.queryKey }),
  });
  if (create.data) {
    return (
      <Dialog
        title="Copy the key now"
        onClose={onClose}
        actions={
          <Button look="primary" onClick={onClose}>
            I have copied it
          </Button>
        }
      >
        <p className="mb-3">
          It is shown this once; only a digest of it is kept. If it is lost, revoke it and make another.
        </p>
        <Token token={create.data.token} />
      </Dialog>
    );
  }
  return (
    <Dialog
      title="New API key"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form={formId} busy={create.isPending}>
            Make the key
          </Button>
        </>
      }
    >
      <form
        id={formId}
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Field
          label="Name"
          name="name"
          required
          autoFocus
          placeholder="website form"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          note="Which program will use it."
        />
        <div>
          <div className="mb-1 font-medium">Role</div>
          <Select
            label="Role"
            className="h-9 w-full"
            value={role}
            onChange={(event) => setRole(event.currentTarget.value as Role)}
          >
            {Object.entries(roleWords).map(([value, words]) => (
              <option key={value} value={value}>
                {value}: {words}
              </option>
            ))}
          </Select>
        </div>
        {create.error && <ErrorNotice error={create.error} />}
      </form>
    </Dialog>
  );
}

function Token({ token }: { readonly token: string }) {
  return (
    <div className="flex items-center gap-2 rounded-md border border-line-strong bg-sunken py-1.5 pr-1.5 pl-3">
      <code data-testid="new-key" className="min-w-0 flex-1 text-xs break-all">
        {token}
      </code>
      <CopyButton text={token} label="Copy the key" />
    </div>
  );
}
