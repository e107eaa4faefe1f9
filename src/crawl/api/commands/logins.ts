/** Commands about logins to sites, and about the CAPTCHA solvers that some of them need. */
import { create, isFieldSet } from '@bufbuild/protobuf';
import {
  CaptchaSolverSchema,
  ResponseListCaptchaSolversSchema,
  ResponseListDomainLoginsSchema,
  ResponseNewCaptchaSolverSchema,
} from '../../proto/starbelly_pb.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Commands } from '../command.ts';
import { pageOf } from '../paging.ts';

export function loginCommands({ logins }: Settings): Commands {
  return {
    getDomainLogin: ({ domain }) => ({ body: { case: 'domainLogin', value: logins.get(domain) } }),

    listDomainLogins: ({ page }) => {
      const { items, total } = pageOf(logins.list(), page);
      return { body: { case: 'listDomainLogins', value: create(ResponseListDomainLoginsSchema, { logins: items, total }) } };
    },

    setDomainLogin: async ({ login }) => {
      await logins.set(login);
      return undefined;
    },

    deleteDomainLogin: async ({ domain }) => {
      await logins.delete(domain);
      return undefined;
    },
  };
}

export function solverCommands(settings: Settings): Commands {
  const { solvers } = settings;
  return {
    getCaptchaSolver: ({ solverId }) => ({ body: { case: 'solver', value: solvers.get(solverId) } }),

    listCaptchaSolvers: ({ page }) => {
      const { items, total } = pageOf(solvers.list(), page);
      return { body: { case: 'listCaptchaSolvers', value: create(ResponseListCaptchaSolversSchema, { solvers: items, total }) } };
    },

    setCaptchaSolver: async ({ solver = create(CaptchaSolverSchema) }) => {
      if (isFieldSet(solver, CaptchaSolverSchema.field.solverId) && solver.solverId.length > 0) {
        await solvers.replace(solver);
        return undefined;
      }
      return { body: { case: 'newSolver', value: create(ResponseNewCaptchaSolverSchema, { solverId: await solvers.add(solver) }) } };
    },

    deleteCaptchaSolver: async ({ solverId }) => {
      await settings.deleteSolver(solverId);
      return undefined;
    },
  };
}
