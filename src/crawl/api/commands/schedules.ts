/** Commands about schedules and the jobs that they have made. */
import { create, isFieldSet } from '@bufbuild/protobuf';
import { readId } from '../../ids.ts';
import type { Jobs } from '../../jobs/types.ts';
import {
  ResponseListScheduleJobsSchema,
  ResponseListSchedulesSchema,
  ResponseNewScheduleSchema,
  ScheduleSchema,
} from '../../proto/starbelly_pb.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Commands } from '../command.ts';
import { listedJob } from '../job-messages.ts';
import { pageOf, spanOf } from '../paging.ts';

export function scheduleCommands(jobs: Jobs, { schedules }: Settings): Commands {
  return {
    getSchedule: ({ scheduleId }) => ({ body: { case: 'schedule', value: schedules.get(scheduleId) } }),

    listSchedules: ({ page }) => {
      const { items, total } = pageOf(schedules.list(), page);
      return { body: { case: 'listSchedules', value: create(ResponseListSchedulesSchema, { schedules: items, total }) } };
    },

    setSchedule: async ({ schedule = create(ScheduleSchema) }) => {
      if (isFieldSet(schedule, ScheduleSchema.field.scheduleId) && schedule.scheduleId.length > 0) {
        await schedules.replace(schedule);
        return undefined;
      }
      return { body: { case: 'newSchedule', value: create(ResponseNewScheduleSchema, { scheduleId: await schedules.add(schedule) }) } };
    },

    deleteSchedule: async ({ scheduleId }) => {
      await schedules.delete(scheduleId);
      return undefined;
    },

    listScheduleJobs: async ({ scheduleId, page }) => {
      const { found, total } = await jobs.list({ scheduleId: readId(scheduleId) }, spanOf(page));
      return { body: { case: 'listScheduleJobs', value: create(ResponseListScheduleJobsSchema, { jobs: found.map(listedJob), total }) } };
    },
  };
}
