import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['target/', 'node_modules/', '**/*.ts', '**/*.mts', '**/.venv/'] },
  js.configs.recommended,
  { files: ['action/**/*.js', 'bindings-node/**/*.js'], languageOptions: { sourceType: 'commonjs', globals: globals.node } },
  { files: ['bindings-node/**/*.mjs'], languageOptions: { sourceType: 'module', globals: globals.node } },
  {
    rules: {
      eqeqeq: 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-var': 'error',
      'prefer-const': 'error',
      strict: ['error', 'safe'],
    },
  },
];
